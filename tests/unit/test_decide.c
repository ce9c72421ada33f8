/* SPDX-License-Identifier: Apache-2.0 */
/* test_decide.c - bytes to verdict: each reason, in their order, and what the user reads. */
#include "deciding.h"

#define DENY    DECISION_DENY
#define OBSERVE DECISION_OBSERVE
#define ALLOW   DECISION_ALLOW

#define POLICY(rest) "{\"version\":1," rest "}"
#define EXCEPTION(allow)                                                                 \
	"{\"id\":\"ex\",\"allow\":[" allow "],\"match\":{\"door\":[\"docker\"]},"        \
	"\"reason\":\"test\"}"

/* ---- one request, one verdict ---- */

struct expectation {
	const char *method, *target, *body;
	enum verdict_decision decision;
	enum reason reason;
	bool on_record;
};

static void
check_verdict(struct judge *judge, const struct expectation *expected)
{
	const struct verdict *verdict =
	    judge_request(judge, expected->method, expected->target, expected->body);

	if (verdict->decision != expected->decision ||
	    verdict->reason != expected->reason ||
	    verdict->on_record != expected->on_record)
		fail_msg("%s %s %s: %s, %s, on record %d: %s", expected->method,
		         expected->target, expected->body ? expected->body : "-",
		         decision_name(verdict->decision), reason_code(verdict->reason),
		         verdict->on_record, verdict->message);
	if (verdict->decision == DECISION_ALLOW)
		assert_string_equal(verdict->message, "");
	else
		assert_true(strlen(verdict->message) > 40);
}

static void
check(const char *policy, const struct expectation *rows, size_t count)
{
	cleanup_judge struct judge judge;

	judge_start(&judge, policy);
	for (size_t i = 0; i < count; i++)
		check_verdict(&judge, &rows[i]);
}

static const struct expectation builtin[] = {
    {"GET", "/info", NULL, ALLOW, REASON_NOT_JUDGED, false},
    {"HEAD", "/_ping", NULL, ALLOW, REASON_NOT_JUDGED, false},
    {"POST", "/v1.32/auth", NULL, ALLOW, REASON_NOT_JUDGED, false},
    {"POST", "/v1.41/containers/a/start", NULL, ALLOW, REASON_NOT_JUDGED, false},
    {"POST", "/v1.41/containers/a/exec", "{\"Privileged\":true}", ALLOW,
     REASON_NOT_JUDGED, false},
    {"OPTIONS", "*", NULL, ALLOW, REASON_NOT_JUDGED, false},
    {"POST", CREATE, "{}", ALLOW, REASON_ALLOWED, false},
    {"POST", "/services/create", "{}", ALLOW, REASON_ALLOWED, false},
    {"POST", "/services/x/update", "{}", ALLOW, REASON_ALLOWED, false},
    {"POST", "/build", NULL, ALLOW, REASON_ALLOWED, false},
    {"POST", "/swarm/init", "{}", ALLOW, REASON_ALLOWED, false},
    {"POST", "/plugins/x/disable", NULL, ALLOW, REASON_NOT_JUDGED, false},
    {"POST", "containers/create", "{}", DENY, REASON_BAD_TARGET, true},
    {"GET", "/a%zz", NULL, DENY, REASON_BAD_TARGET, true},
    {"POST", CREATE, NULL, DENY, REASON_NO_BODY, true},
    {"POST", CREATE, "", DENY, REASON_NO_BODY, true},
    {"POST", "/services/create", NULL, DENY, REASON_NO_BODY, true},
    {"POST", CREATE, "[]", DENY, REASON_UNREADABLE, true},
    {"POST", CREATE, "{\"HostConfig\":{\"SecurityOpt\":[null]}}", DENY, REASON_UNREADABLE,
     true},
    {"POST", CREATE, UNCONFINED, DENY, REASON_POSTURE, true},
    {"POST", CREATE, "{\"HostConfig\":{\"Privileged\":true}}", DENY, REASON_POSTURE,
     true},
    {"POST", CREATE, "{\"HostConfig\":{\"Runtime\":\"kata\"}}", DENY, REASON_GUARD, true},
    {"POST", "/containers/a/start?checkpoint=c", NULL, DENY, REASON_GUARD, true},
    {"POST", "/v1.23/containers/a/start", UNCONFINED, DENY, REASON_GUARD, true},
    {"POST", "/plugins/pull?remote=x&name=", NULL, DENY, REASON_GUARD, true},
    {"POST", "/plugins/seccomp-authz/disable", NULL, DENY, REASON_GUARD, true},
};

static void
the_builtin_policy_refuses_what_it_promises(void **state)
{
	(void)state;
	check(NULL, builtin, COUNT(builtin));
}

static const struct expectation excepted[] = {
    {"POST", CREATE, UNCONFINED, ALLOW, REASON_EXCEPTION, true},
    {"POST", CREATE, "{}", ALLOW, REASON_ALLOWED, false},
    {"POST", CREATE, "{\"HostConfig\":{\"Privileged\":true}}", DENY, REASON_POSTURE,
     true},
    {"POST", CREATE,
     "{\"HostConfig\":{\"Privileged\":true,\"SecurityOpt\":[\"seccomp=unconfined\"]}}",
     DENY, REASON_POSTURE, true},
    {"POST", CREATE, "{\"HostConfig\":{\"SecurityOpt\":[null]}}", DENY, REASON_UNREADABLE,
     true},
    {"POST", CREATE, NULL, DENY, REASON_NO_BODY, true},
    {"POST", "containers/create", UNCONFINED, DENY, REASON_BAD_TARGET, true},
};

static void
an_exception_lets_through_what_it_covers_and_that_is_on_record(void **state)
{
	(void)state;
	check(POLICY("\"exceptions\":[" EXCEPTION("\"unconfined\"") "]"), excepted,
	      COUNT(excepted));
}

/* Guard before posture: the runtime is refused before what it would run is looked at. */
static const struct expectation guard_first[] = {
    {"POST", CREATE,
     "{\"HostConfig\":{\"Runtime\":\"kata\",\"SecurityOpt\":[\"seccomp=unconfined\"]}}",
     DENY, REASON_GUARD, true},
    {"POST", "/v1.23/containers/a/start", "{\"SecurityOpt\":[null]}", DENY, REASON_GUARD,
     true},
};

static void
guards_come_before_postures(void **state)
{
	(void)state;
	check(NULL, guard_first, COUNT(guard_first));
}

static const struct expectation lifted[] = {
    {"POST", CREATE, "{\"HostConfig\":{\"Runtime\":\"kata\"}}", ALLOW, REASON_EXCEPTION,
     true},
    {"POST", CREATE,
     "{\"HostConfig\":{\"Runtime\":\"kata\",\"SecurityOpt\":[\"seccomp=unconfined\"]}}",
     DENY, REASON_POSTURE, true},
    {"POST", "/v1.23/containers/a/start", "{\"Memory\":1}", ALLOW, REASON_EXCEPTION,
     true},
    {"POST", "/v1.23/containers/a/start", "{\"CapAdd\":[\"ALL\"]}", DENY, REASON_GUARD,
     true},
};

static void
a_lifted_guard_leaves_the_postures_to_be_judged(void **state)
{
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, POLICY("\"exceptions\":[" EXCEPTION(
				"\"guard:runtimes\",\"guard:legacy-start\"") "]"));
	for (size_t i = 0; i < COUNT(lifted); i++) {
		struct expectation row = lifted[i];

		/* what can't be read can't be excepted, not even from a guard */
		if (row.reason == REASON_GUARD) {
			assert_int_equal(
			    judge_request(&judge, row.method, row.target, row.body)
				->decision,
			    DENY);
			continue;
		}
		check_verdict(&judge, &row);
	}
}

static const struct expectation observed[] = {
    {"GET", "/info", NULL, ALLOW, REASON_NOT_JUDGED, false},
    {"POST", CREATE, "{}", ALLOW, REASON_ALLOWED, false},
    {"POST", CREATE, UNCONFINED, OBSERVE, REASON_POSTURE, true},
    {"POST", CREATE, "[]", OBSERVE, REASON_UNREADABLE, true},
    {"POST", CREATE, NULL, OBSERVE, REASON_NO_BODY, true},
    {"POST", "containers/create", NULL, OBSERVE, REASON_BAD_TARGET, true},
    {"POST", "/plugins/pull?remote=x&name=", NULL, OBSERVE, REASON_GUARD, true},
};

static void
observe_mode_lets_through_and_records_what_it_would_refuse(void **state)
{
	(void)state;
	check(POLICY("\"mode\":\"observe\""), observed, COUNT(observed));
}

static void
observe_mode_does_not_let_through_what_is_no_request(void **state)
{
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, POLICY("\"mode\":\"observe\""));
	assert_int_equal(judge_envelope(&judge, (struct text){0})->decision, DENY);
	assert_int_equal(judge_envelope(&judge, TEXT_LIT("{}"))->decision, DENY);
}

static const struct expectation one_observed[] = {
    {"POST", CREATE, UNCONFINED, OBSERVE, REASON_POSTURE, true},
    {"POST", CREATE, "{\"HostConfig\":{\"Privileged\":true}}", DENY, REASON_POSTURE,
     true},
    {"POST", CREATE,
     "{\"HostConfig\":{\"Privileged\":true,\"SecurityOpt\":[\"seccomp=unconfined\"]}}",
     DENY, REASON_POSTURE, true},
    {"POST", CREATE, "[]", DENY, REASON_UNREADABLE, true},
};

static void
one_posture_can_be_observed_alone(void **state)
{
	(void)state;
	check(POLICY("\"observe\":[\"unconfined\"]"), one_observed, COUNT(one_observed));
}

/* ---- without a policy ---- */

static const struct expectation broken[] = {
    {"GET", "/info", NULL, ALLOW, REASON_NOT_JUDGED, false},
    {"POST", "/containers/a/start", NULL, ALLOW, REASON_NOT_JUDGED, false},
    {"POST", CREATE, "{}", DENY, REASON_POLICY_BROKEN, true},
    {"POST", CREATE, UNCONFINED, DENY, REASON_POLICY_BROKEN, true},
    {"POST", "/services/create", "{}", DENY, REASON_POLICY_BROKEN, true},
    {"POST", "/build", NULL, DENY, REASON_POLICY_BROKEN, true},
    {"POST", "/plugins/seccomp-authz/disable", NULL, DENY, REASON_POLICY_BROKEN, true},
    {"POST", "containers/create", "{}", DENY, REASON_POLICY_BROKEN, true},
};

static void
a_broken_policy_denies_every_workload_and_says_why(void **state)
{
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, NULL);
	judge.circumstances.policy = NULL;
	judge.circumstances.broken = TEXT_LIT("p.json: /mode: no \"such\" mode");
	for (size_t i = 0; i < COUNT(broken); i++)
		check_verdict(&judge, &broken[i]);
	assert_non_null(strstr(judge.decision.verdict.message,
	                       "policy broken: p.json: /mode: no \"such\" mode"));
}

/* ---- envelopes ---- */

static void
an_envelope_is_judged_like_the_request_in_it(void **state)
{
	cleanup_judge struct judge judge;
	cleanup_buf struct buf buf = {0};

	(void)state;
	judge_start(&judge, NULL);
	for (size_t i = 0; i < COUNT(builtin); i++) {
		const struct expectation *row = &builtin[i];
		const struct verdict *verdict;

		write_envelope(&buf, row->method, row->target, "{}", text_of(row->body));
		verdict = judge_envelope(&judge, buf_text(&buf));
		if (verdict->decision != row->decision || verdict->reason != row->reason)
			fail_msg("%s: %s", buf.at, verdict->message);
	}
}

static const struct {
	const char *envelope;
	enum reason reason;
} no_envelopes[] = {
    {"", REASON_EMPTY_ENVELOPE},
    {" ", REASON_BAD_ENVELOPE},
    {"{}", REASON_BAD_ENVELOPE},
    {"null", REASON_BAD_ENVELOPE},
    {"[]", REASON_BAD_ENVELOPE},
    {"{\"RequestMethod\":\"GET\"}", REASON_BAD_ENVELOPE},
    {"{\"RequestUri\":\"/info\"}", REASON_BAD_ENVELOPE},
    {"{\"RequestMethod\":\"\",\"RequestUri\":\"/info\"}", REASON_BAD_ENVELOPE},
    {"{\"RequestMethod\":\"GET\",\"RequestUri\":\"/info\"", REASON_BAD_ENVELOPE},
    {"{\"RequestMethod\":\"GET\",\"RequestUri\":\"/info\"}x", REASON_BAD_ENVELOPE},
    {"{\"RequestMethod\":\"GET\",\"RequestUri\":\"/a\",\"requesturi\":\"/b\"}",
     REASON_BAD_ENVELOPE},
    {"{\"RequestMethod\":\"POST\",\"RequestUri\":\"/containers/create\","
     "\"RequestBody\":\"e30\"}",
     REASON_BAD_ENVELOPE},
    {"{\"RequestMethod\":\"POST\",\"RequestUri\":\"/containers/create\","
     "\"RequestBody\":\"\"}",
     REASON_NO_BODY},
};

static void
what_is_no_envelope_is_denied(void **state)
{
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, NULL);
	for (size_t i = 0; i < COUNT(no_envelopes); i++) {
		const struct verdict *verdict =
		    judge_envelope(&judge, text_of(no_envelopes[i].envelope));

		if (verdict->decision != DENY ||
		    verdict->reason != no_envelopes[i].reason || !verdict->on_record ||
		    verdict->message[0] == '\0')
			fail_msg("%s: %s", no_envelopes[i].envelope, verdict->message);
	}
}

static void
a_body_that_does_not_decide_may_be_anything(void **state)
{
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, NULL);
	assert_int_equal(judge_envelope(&judge, TEXT_LIT("{\"RequestMethod\":\"POST\","
	                                                 "\"RequestUri\":\"/build\","
	                                                 "\"RequestBody\":\"!\"}"))
	                     ->decision,
	                 ALLOW);
}

static void
refusals_before_reading_are_denials_on_record(void **state)
{
	static const enum reason reasons[] = {REASON_TOO_LARGE, REASON_BUSY,
	                                      REASON_NO_MEMORY, REASON_EMPTY_ENVELOPE};
	cleanup_judge struct judge judge;
	const struct verdict *verdict = &judge.decision.verdict;

	(void)state;
	judge_start(&judge, POLICY("\"mode\":\"observe\""));
	for (size_t i = 0; i < COUNT(reasons); i++) {
		decision_reset(&judge.decision);
		decide_refusal(reasons[i], &judge.circumstances, &judge.decision);
		assert_int_equal(verdict->decision, DENY);
		assert_int_equal(verdict->reason, reasons[i]);
		assert_true(verdict->on_record);
		assert_true(verdict->message[0] != '\0');
	}
}

static void
without_memory_a_workload_is_denied(void **state)
{
	static const char *const targets[] = {CREATE,   "/services/create",
	                                      "/build", "/plugins/x/enable",
	                                      "/a%20b", "/swarm/init"};
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, POLICY("\"mode\":\"observe\""));
	judge.decision.arena.limit = 1;
	for (size_t i = 0; i < COUNT(targets); i++) {
		const struct verdict *verdict =
		    judge_request(&judge, "POST", targets[i], "{}");

		assert_int_equal(verdict->decision, DENY);
		assert_int_equal(verdict->reason, REASON_NO_MEMORY);
	}
}

static void
a_zeroed_verdict_is_a_denial(void **state)
{
	static const struct verdict zero;

	(void)state;
	assert_int_equal(zero.decision, DECISION_DENY);
	assert_int_equal(zero.reason, REASON_UNDECIDED);
	assert_string_equal(decision_name(zero.decision), "deny");
}

static void
a_decision_can_be_used_again(void **state)
{
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, NULL);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
		    judge_request(&judge, "POST", CREATE, UNCONFINED)->decision, DENY);
		assert_int_equal(judge_request(&judge, "POST", CREATE, "{}")->decision,
		                 ALLOW);
		assert_int_equal(judge_request(&judge, "GET", "/info", NULL)->decision,
		                 ALLOW);
	}
}

static void
the_verdict_names_policy_and_decision(void **state)
{
	cleanup_judge struct judge judge;
	const struct verdict *verdict;

	(void)state;
	judge_start(&judge, POLICY("\"mode\":\"enforce\""));
	verdict = judge_request(&judge, "POST", CREATE, UNCONFINED);
	assert_string_equal(verdict->policy, judge.policy->digest);
	assert_int_equal(strlen(verdict->id), 26);
	assert_non_null(strstr(verdict->message, verdict->id));
}

static void
the_rule_that_decided_is_named(void **state)
{
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, POLICY("\"exceptions\":[" EXCEPTION("\"unconfined\"") "]"));
	assert_true(text_is(
	    verdict_rule(judge_request(&judge, "POST", CREATE, UNCONFINED)), "ex"));
	assert_true(text_is(verdict_rule(judge_request(&judge, "POST", CREATE, "{}")),
	                    "default"));
	assert_true(text_is(
	    verdict_rule(judge_request(&judge, "POST", "/plugins/x/enable", NULL)),
	    "plugins"));
}

/* ---- what the user reads ---- */

static const struct {
	const char *target, *body;
	const char *says; /* part of the message */
} sentences[] = {
    {CREATE "?name=web", UNCONFINED,
     "container \"web\" (docker.io/library/nginx:latest) would run without a seccomp "
     "filter: "
     "seccomp=unconfined. Drop the option, use a custom profile, or ask for an "
     "exception"},
    {CREATE, "{\"HostConfig\":{\"Privileged\":true}}",
     "container would run privileged, so without a seccomp filter: Privileged. Drop "
     "--privileged"},
    {CREATE, "{\"HostConfig\":{\"SecurityOpt\":[\"seccomp={}\"]}}",
     "would run without a seccomp filter: its profile has no rules"},
    {CREATE, "{\"HostConfig\":{\"Runtime\":\"kata\"}}",
     "container would run under a runtime that the policy does not list: \"kata\". Drop "
     "--runtime, or ask for an exception for guard:runtimes"},
    {CREATE, "{\"HostConfig\":{\"SecurityOpt\":[\"SECCOMP=x\"]}}", "HostConfig"},
    {CREATE, NULL, "passed on no request body"},
    {"/services/create",
     "{\"Name\":\"web\",\"TaskTemplate\":{\"ContainerSpec\":{"
     "\"Privileges\":{\"Seccomp\":{\"Mode\":\"unconfined\"}}}}}",
     "service \"web\" would run without a seccomp filter: Privileges.Seccomp.Mode "
     "unconfined"},
    {"/plugins/x/enable", NULL, "plugin \"x\": managed plugins run without"},
    {"/plugins/seccomp-authz/set", NULL,
     "plugin \"seccomp-authz\" would change or shadow"},
    {"/containers/web/start?checkpoint=c", NULL, "container: a start from a checkpoint"},
    {"containers/create", NULL, "it can't be told which call this is"},
};

static void
a_denial_says_what_why_and_what_to_do(void **state)
{
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, NULL);
	for (size_t i = 0; i < COUNT(sentences); i++) {
		const char *message =
		    judge_request(&judge, "POST", sentences[i].target, sentences[i].body)
			->message;

		if (i == 4) /* details keep their quotes as they are */
			assert_non_null(strstr(message, "option \"SECCOMP=x\" sets no"));
		else if (!strstr(message, sentences[i].says))
			fail_msg("%s", message);
	}
}

static void
an_empty_envelope_is_told_to_repeat(void **state)
{
	cleanup_judge struct judge judge;
	const char *message;

	(void)state;
	judge_start(&judge, NULL);
	message = judge_envelope(&judge, (struct text){0})->message;
	assert_non_null(strstr(message, "the plugin restarted during the call"));
	assert_non_null(strstr(message, "Repeat the command."));
}

/* Bytes that would move the reader, in every value that is repeated. */
static void
nothing_in_a_message_moves_the_reader(void **state)
{
	static const char *const bodies[] = {
	    "{\"Image\":\"\\u001b[2Ja\\u202eb\\n\",\"HostConfig\":{\"Privileged\":true}}",
	    "{\"HostConfig\":{\"Runtime\":\"\\u001b[2Ja\\u202eb\\nc\\u2066\"}}",
	    ("{\"HostConfig\":{\"Annotations\":{\"run.oci.seccomp\\u001b\\u202e\\n\":"
	     "\"\"}"
	     "}}"),
	    "{\"HostConfig\":{\"SecurityOpt\":[\"seccomp=\\u001b\\u202e\\n\"]}}",
	    "{\"HostConfig\":{\"SecurityOpt\":[\"SECCOMP=\\u001b\\u202e\\n\"]}}",
	};
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, NULL);
	for (size_t i = 0; i < COUNT(bodies); i++) {
		const struct verdict *verdict = judge_request(
		    &judge, "POST", CREATE "?name=%1b%E2%80%AEx%0a", bodies[i]);
		const char *message = verdict->message;

		assert_int_equal(verdict->decision, DENY);
		for (const char *c = message; *c; c++)
			assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
		assert_null(strstr(message, "\xe2\x80\xae"));
		assert_null(strstr(message, "\xe2\x81\xa6"));
	}
}

/* A value of `len` copies of `unit`, in a body that is denied. */
static void
write_long_body(struct buf *buf, const char *unit, int len)
{
	static const char *const parts[] = {"{\"Image\":\"A",
	                                    "\",\"HostConfig\":{\"Runtime\":\"",
	                                    "\",\"Privileged\":true}}"};

	buf_clear(buf);
	for (size_t i = 0; i < COUNT(parts); i++) {
		buf_str(buf, parts[i]);
		for (int j = 0; i + 1 < COUNT(parts) && j < len; j++)
			buf_str(buf, unit);
	}
}

static void
a_message_is_bounded_and_keeps_its_end(void **state)
{
	static const char *const units[] = {
	    "x", "\\u0001", "\xe2\x82\xac", "\xf0\x9f\x90\xb3", "\\u202e", "\\\""};
	static const char *const policies[] = {NULL, POLICY("\"guard\":[]")};
	struct judge judge;
	cleanup_buf struct buf body = {0}, target = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(units) * COUNT(policies); i++) {
		const struct verdict *verdict;
		uint32_t point;

		judge_start(&judge, policies[i / COUNT(units)]);
		write_long_body(&body, units[i % COUNT(units)], 3000);
		buf_clear(&target);
		buf_str(&target, CREATE "?name=");
		for (int j = 0; j < 1000; j++)
			buf_str(&target, "%01%e2%82%ac");
		verdict = judge_request(&judge, "POST", target.at, body.at);
		assert_int_equal(verdict->decision, DENY);
		assert_true(strlen(verdict->message) < VERDICT_MESSAGE_MAX);
		assert_non_null(strstr(verdict->message, verdict->id));
		for (const char *at = verdict->message; *at;) { /* cut at characters */
			size_t len = utf8_decode(at, at + strlen(at), &point);

			assert_int_not_equal(len, 0);
			at += len;
		}
		judge_stop(&judge);
	}
}

/* Places in which clients put what is not ours to repeat. */
static void
no_message_holds_a_secret(void **state)
{
	static const struct {
		const char *target, *body;
	} rows[] = {
	    {CREATE "?token=S3CRET", UNCONFINED},
	    {"http://u:S3CRET@h/containers/create?x=S3CRET", NULL},
	    {"S3CRET", NULL},
	    {"/a%zzS3CRET?S3CRET", NULL},
	    {CREATE,
	     "{\"Env\":[\"P=S3CRET\"],\"Cmd\":[\"S3CRET\"],\"Labels\":{\"S3CRET\":"
	     "\"S3CRET\"},\"HostConfig\":{\"Privileged\":true,\"Binds\":[\"S3CRET\"]}}"},
	    {CREATE, "{\"Env\":[\"S3CRET\"],\"Labels\":{\"S3CRET\":0}}"},
	    {CREATE, "{\"S3CRET\":\"S3CRET\",\"Env\":S3CRET}"},
	    {CREATE,
	     "{\"HostConfig\":{\"SecurityOpt\":[\"seccomp={\\\"S3CRET\\\":[]\"]}}"},
	    {CREATE, "{\"HostConfig\":{\"SecurityOpt\":[\"seccomp={\\\"x\\\":"
	             "\\\"S3CRET\\\"}\"]}}"},
	    {CREATE, "{\"HostConfig\":{\"SecurityOpt\":[\"seccomp={\\\"defaultAction\\\":"
	             "\\\"S3CRET\\\"}\"]}}"},
	    {CREATE, "{\"HostConfig\":{\"SecurityOpt\":[\"credentialspec=S3CRET\","
	             "\"seccomp=unconfined\"]}}"},
	    {CREATE,
	     "{\"HostConfig\":{\"Annotations\":{\"run.oci.handler\":\"S3CRET\"}}}"},
	    {"/services/create",
	     "{\"TaskTemplate\":{\"ContainerSpec\":{\"Env\":[\"S3CRET\"],"
	     "\"Privileges\":{\"Seccomp\":{\"Mode\":\"S3CRET\"}}}}}"},
	    {"/swarm/join?S3CRET", "{\"JoinToken\":\"S3CRET\"}"},
	    {"/build?buildargs=S3CRET", "S3CRET"},
	    {"/plugins/x/set?S3CRET", "[\"S3CRET\"]"},
	};
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, POLICY("\"guard\":[\"self\",\"plugins\",\"builds\","
	                           "\"swarm-membership\"]"));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct verdict *verdict =
		    judge_request(&judge, "POST", rows[i].target, rows[i].body);

		assert_int_equal(verdict->decision, DENY);
		if (strstr(verdict->message, "S3CRET"))
			fail_msg("%s", verdict->message);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_builtin_policy_refuses_what_it_promises),
	    cmocka_unit_test(
		an_exception_lets_through_what_it_covers_and_that_is_on_record),
	    cmocka_unit_test(guards_come_before_postures),
	    cmocka_unit_test(a_lifted_guard_leaves_the_postures_to_be_judged),
	    cmocka_unit_test(observe_mode_lets_through_and_records_what_it_would_refuse),
	    cmocka_unit_test(observe_mode_does_not_let_through_what_is_no_request),
	    cmocka_unit_test(one_posture_can_be_observed_alone),
	    cmocka_unit_test(a_broken_policy_denies_every_workload_and_says_why),
	    cmocka_unit_test(an_envelope_is_judged_like_the_request_in_it),
	    cmocka_unit_test(what_is_no_envelope_is_denied),
	    cmocka_unit_test(a_body_that_does_not_decide_may_be_anything),
	    cmocka_unit_test(refusals_before_reading_are_denials_on_record),
	    cmocka_unit_test(without_memory_a_workload_is_denied),
	    cmocka_unit_test(a_zeroed_verdict_is_a_denial),
	    cmocka_unit_test(a_decision_can_be_used_again),
	    cmocka_unit_test(the_verdict_names_policy_and_decision),
	    cmocka_unit_test(the_rule_that_decided_is_named),
	    cmocka_unit_test(a_denial_says_what_why_and_what_to_do),
	    cmocka_unit_test(an_empty_envelope_is_told_to_repeat),
	    cmocka_unit_test(nothing_in_a_message_moves_the_reader),
	    cmocka_unit_test(a_message_is_bounded_and_keeps_its_end),
	    cmocka_unit_test(no_message_holds_a_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
