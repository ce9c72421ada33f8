# SPDX-License-Identifier: Apache-2.0
"""Requests that no client sends, on the engine's own socket.

Each would run or create an unconfined container on at least one engine that nobody guards
(20.10, 26.1 or 28.5), or hides that it would. Each must be refused and leave nothing.
"""

import json
import unittest

from lab import IMAGE, SHOW_SECCOMP, UNCONFINED, DENIED, GuardedCase, rows, spread, talk

MIB = 1024 * 1024
PLAIN = {"Image": IMAGE, "Cmd": SHOW_SECCOMP, "HostConfig": {"NetworkMode": "none"}}
BAD = {"Image": IMAGE, "Cmd": SHOW_SECCOMP,
       "HostConfig": {"NetworkMode": "none", "SecurityOpt": UNCONFINED}}
HEAD = f'"Image":"{IMAGE}","Cmd":{json.dumps(SHOW_SECCOMP)}'
NONE = '"NetworkMode":"none"'
OPT = '"SecurityOpt":["seccomp=unconfined"]'

BAD_BODY = json.dumps(BAD).encode()
PLAIN_BODY = json.dumps(PLAIN).encode()
CREATE = "/API/containers/create"  # API: the newest that the engine knows


def text(template):
    """A body in which HEAD, NONE and OPT stand for the usual fields."""
    for name, value in (("HEAD", HEAD), ("NONE", NONE), ("OPT", OPT)):
        template = template.replace(name, value)
    return template.encode()


def request(body, target=CREATE, version="HTTP/1.1", headers=("Content-Type: application/json",),
            length=True):
    lines = [f"POST {target} {version}", "Host: docker", "Connection: close", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(body, target=CREATE, size=None, extra=(), extension=b"", trailer=b""):
    size = size or len(body)
    chunks = b"".join(b"%x%s\r\n%s\r\n" % (len(part), extension, part)
                      for part in (body[i:i + size] for i in range(0, len(body), size)))
    headers = ("Content-Type: application/json", "Transfer-Encoding: chunked", *extra)
    return request(b"", target, headers=headers, length=False) + chunks + \
        b"0\r\n" + trailer + b"\r\n"


@spread
class Raw(GuardedCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.engine.remove_all)

    def send(self, data):
        return talk(self.engine.socket, data.replace(b"/API/", f"/{self.engine.api}/".encode(), 1)
                    .replace(b"API%2F", f"{self.engine.api}%2F".encode(), 1))

    def assert_nothing_made(self, status, answer):
        self.assertGreaterEqual(status, 400, answer[:500])
        self.assertEqual(self.engine.containers(), [])

    @rows({
        # how the fields are spelled
        "security_opt_at_the_root": (text("{HEAD,NONE,OPT}"),),
        "security_opt_at_the_root_beside_a_null_host_config":
            (text('{HEAD,NONE,OPT,"HostConfig":null}'),),
        "privileged_at_the_root": (text('{HEAD,NONE,"Privileged":true}'),),
        "lower_case_keys": (text('{HEAD,"hostconfig":{NONE,"securityopt":["seccomp=unconfined"]}}'),),
        "upper_case_keys": (text('{HEAD,"HOSTCONFIG":{NONE,"SECURITYOPT":["seccomp=unconfined"]}}'),),
        "long_s_in_keys":
            (text('{HEAD,"Ho\u017ftConfig":{NONE,"\u017fecurityOpt":["seccomp=unconfined"]}}'),),
        "long_s_as_an_escape":
            (text('{HEAD,"Ho\\u017ftConfig":{NONE,"\\u017fecurityOpt":["seccomp=unconfined"]}}'),),
        "kelvin_sign_in_a_key":
            (text('{HEAD,"HostConfig":{"Networ\u212aMode":"none",OPT}}'),),
        "escaped_keys_and_value": (
            text('{HEAD,"\\u0048ostConfig":{NONE,"Security\\u004fpt":["seccomp=\\u0075nconfined"]}}'),),
        "host_config_twice_bad_first": (text('{HEAD,"HostConfig":{NONE,OPT},"HostConfig":{NONE}}'),),
        "host_config_twice_bad_last": (text('{HEAD,"HostConfig":{NONE},"HostConfig":{NONE,OPT}}'),),
        "host_config_twice_in_two_cases": (text('{HEAD,"hostconfig":{NONE,OPT},"HostConfig":{}}'),),
        "security_opt_twice":
            (text('{HEAD,"HostConfig":{NONE,"SecurityOpt":[],"securityopt":["seccomp=unconfined"]}}'),),
        "security_opt_brought_back_by_null":
            (text('{HEAD,"HostConfig":{NONE,OPT,"SecurityOpt":[null]}}'),),
        "privileged_then_null":
            (text('{HEAD,"HostConfig":{NONE,"Privileged":true,"Privileged":null}}'),),
        "second_document_after_the_first": (BAD_BODY + PLAIN_BODY,),
        "garbage_after_the_document": (BAD_BODY + b" xyz",),
        "white_space_before_the_document": (b"\r\n\t " + BAD_BODY,),
        "bad_utf8_beside_it": (BAD_BODY[:-1] + b',"Labels":{"a":"\xff\xfe"}}',),
        "deep_nesting_beside_it": (BAD_BODY[:-1] + b',"X":' + b"[" * 9000 + b"]" * 9000 + b"}",),
        "several_seccomp_entries":
            (text('{HEAD,"HostConfig":{NONE,"SecurityOpt":["seccomp=","seccomp=unconfined"]}}'),),
        "null_profile": (text('{HEAD,"HostConfig":{NONE,"SecurityOpt":["seccomp=null"]}}'),),
        "empty_profile_with_colon": (text('{HEAD,"HostConfig":{NONE,"SecurityOpt":["seccomp:{}"]}}'),),
        "profile_with_folded_key": (text(
            '{HEAD,"HostConfig":{NONE,"SecurityOpt":'
            '["seccomp={\\"defaultAction\\":\\"SCMP_ACT_ERRNO\\",\\"defaultaction\\":\\"\\"}"]}}'),),
    })
    def body(self, body):
        """The judge refuses what it reads, or what it can't read with certainty."""
        self.refused_by_us(request(body))

    @rows({
        # how the call is spelled
        "percent_encoded_path": (request(BAD_BODY, "/API/containers/%63reate"),),
        "percent_encoded_slash": (request(BAD_BODY, "/API%2Fcontainers%2Fcreate"),),
        "absolute_form": (request(BAD_BODY, "http://docker/API/containers/create"),),
        "absolute_form_of_another_scheme": (request(BAD_BODY, "x://u:p@y/API/containers/create"),),
        "absolute_form_without_host": (request(BAD_BODY, "http:///API/containers/create"),),
        "no_version": (request(BAD_BODY, "/containers/create"),),
        "odd_version": (request(BAD_BODY, "/v01.0041./containers/create"),),
        "query_that_ends_in_auth": (request(BAD_BODY, "/API/containers/create?x=/auth"),),
        "query_with_a_hash": (request(BAD_BODY, "/API/containers/create?x=#y"),),
        # how the body travels
        "chunked": (chunked(BAD_BODY),),
        "chunked_in_single_bytes": (chunked(BAD_BODY, size=1),),
        "chunked_and_a_length": (chunked(BAD_BODY, extra=("Content-Length: 0",)),),
        "chunk_extensions": (chunked(BAD_BODY, size=7, extension=b';a="b";c'),),
        "trailer_of_another_type": (chunked(BAD_BODY, extra=("Trailer: Content-Type",),
                                            trailer=b"Content-Type: text/plain\r\n"),),
        "chunked_over_a_mebibyte_and_an_empty_type": (chunked(
            BAD_BODY + b" " * (MIB + 1), size=65536, extra=("Content-Type:",)),),
        "length_twice": (request(BAD_BODY, headers=(
            "Content-Type: application/json", f"Content-Length: {len(BAD_BODY)}")),),
        "length_with_zeros": (request(BAD_BODY, headers=(
            "Content-Type: application/json", f"Content-Length: 00{len(BAD_BODY)}"),
            length=False),),
        "folded_header": (request(BAD_BODY, headers=("X: a", "\tb", "Content-Type:",
                                                     " application/json")),),
        "bare_line_feeds": (request(BAD_BODY).replace(b"\r\n", b"\n"),),
        "type_that_is_hop_by_hop": (request(BAD_BODY, headers=(
            "Content-Type: application/json", "Connection: Content-Type")),),
        "encoding_that_lies": (request(BAD_BODY, headers=(
            "Content-Type: application/json", "Content-Encoding: gzip")),),
        "http_1_9": (request(BAD_BODY, version="HTTP/1.9"),),
        "http_1_0": (request(BAD_BODY, version="HTTP/1.0"),),
        "content_type_with_parameter":
            (request(BAD_BODY, headers=("Content-Type: application/json; charset=utf-8",)),),
        "content_type_in_upper_case": (request(BAD_BODY, headers=("CONTENT-TYPE: APPLICATION/JSON",)),),
        "two_content_types": (request(BAD_BODY, headers=("Content-Type: application/json",
                                                         "Content-Type: text/plain")),),
        "upgrade": (request(BAD_BODY, headers=("Content-Type: application/json",
                                               "Connection: Upgrade", "Upgrade: h2c")),),
        "over_a_mebibyte": (request(BAD_BODY + b" " * (MIB + 1)),),
        "over_a_mebibyte_chunked": (chunked(BAD_BODY + b" " * (MIB + 1), size=65536),),
        "just_below_four_mebibytes": (request(BAD_BODY + b" " * (4 * MIB - len(BAD_BODY))),),
        "no_body": (request(b""),),
        "no_body_no_length": (request(b"", length=False),),
        "no_body_no_content_type": (request(b"", headers=()),),
    })
    def refused_by_us(self, data):
        status, answer = self.send(data)
        self.assert_nothing_made(status, answer)
        self.assertEqual(status, 403, answer[:500])
        self.assertIn(DENIED.encode(), answer)
        record = self.new_records()[-1]
        self.assertEqual(record["decision"], "deny")
        self.assertIn(record["id"].encode(), answer)

    @rows({
        # engines differ in who refuses these
        "over_four_mebibytes": (request(BAD_BODY + b" " * (4 * MIB)),),
        "plain_text": (request(BAD_BODY, headers=("Content-Type: text/plain",)),),
        "no_content_type": (request(BAD_BODY, headers=()),),
        "length_zero_before_a_body": (request(
            BAD_BODY, headers=("Content-Type: application/json", "Content-Length: 0"), length=False),),
        "lengths_that_differ": (request(BAD_BODY, headers=(
            "Content-Type: application/json", "Content-Length: 5")),),
        "parameter_given_twice": (request(BAD_BODY, headers=(
            "Content-Type: application/json; charset=utf-8; charset=utf-8",)),),
        "method_override": (request(BAD_BODY).replace(b"POST", b"PUT", 1).replace(
            b"Host: docker", b"X-HTTP-Method-Override: POST\r\nHost: docker", 1),),
        "array_in_place_of_an_object": (request(b"[" + BAD_BODY + b"]"),),
        "doubled_slash": (request(BAD_BODY, "//API/containers/create"),),
        "byte_order_mark": (request(b"\xef\xbb\xbf" + BAD_BODY),),
    })
    def refused_by_somebody(self, data):
        status, _ = self.send(data)
        self.assertTrue(status == 301 or status >= 400, status)
        self.assertEqual(self.engine.containers(), [])

    @rows({
        "plain": (request(PLAIN_BODY),),
        "plain_chunked": (chunked(PLAIN_BODY),),
        "plain_percent_encoded": (request(PLAIN_BODY, "/API/containers/%63reate"),),
        "plain_in_lower_case": (text('{HEAD,"hostconfig":{NONE,"securityopt":[]}}'),),
        "plain_half_a_mebibyte": (request(PLAIN_BODY + b" " * (MIB // 2)),),
    })
    def let_through(self, data):
        status, answer = self.send(data if data.startswith(b"POST") else request(data))
        self.assertEqual(status, 201, answer[:500])
        self.assertEqual(len(self.engine.containers()), 1)

    def test_pipelined_requests_are_judged_one_by_one(self):
        plain = request(PLAIN_BODY).replace(b"Connection: close\r\n", b"")
        _, answer = self.send(plain + request(BAD_BODY).replace(
            b"/API/", f"/{self.engine.api}/".encode()))
        self.assertIn(b" 201 ", answer)
        self.assertIn(DENIED.encode(), answer)
        self.assertEqual(len(self.engine.containers()), 1)

    @rows({
        "start_with_a_host_config": ("start", lambda b, t: request(b, t)),
        "start_with_a_chunked_host_config": ("start", lambda b, t: chunked(b, t)),
        "start_with_an_encoded_path": ("%73tart", lambda b, t: request(b, t)),
        "start_with_a_body_over_a_mebibyte":
            ("start", lambda b, t: request(b + b" " * (2 * MIB), t)),
    })
    def legacy_start(self, last, make):
        """Engines that know API 1.23 replace the judged settings by those of a start."""
        status, answer = self.engine.call("POST", f"/{self.engine.api}/containers/create", PLAIN)
        self.assertEqual(status, 201, answer)
        name = json.loads(answer)["Id"]
        body = json.dumps(BAD["HostConfig"]).encode()
        status, answer = self.send(make(body, f"/v1.23/containers/{name}/{last}"))
        self.assertGreaterEqual(status, 400, answer[:500])
        _, answer = self.engine.call("GET", f"/{self.engine.api}/containers/{name}/json")
        self.assertEqual(json.loads(answer)["State"]["Status"], "created")


if __name__ == "__main__":
    unittest.main()
