/* SPDX-License-Identifier: Apache-2.0 */
/* test_kubernetes.c - reviews in, answers out. Postures: tests/cases/kubernetes. */
#include "core/record_line.h"

#include "deciding.h"

#include <jansson.h>

#define UID "705ab4f5-6393-11e8-b7cc-42010a800002"

#define META "{\"name\":\"web-0\",\"namespace\":\"shop\",\"labels\":{\"team\":\"tools\"}}"
#define POD(spec)                                                                        \
	"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":" META ",\"spec\":{" spec  \
	"}}"
#define CONTAINER(name, context)                                                         \
	"{\"name\":\"" name "\",\"image\":\"nginx\",\"securityContext\":{" context "}}"
#define TYPE(type)        "\"seccompProfile\":{\"type\":\"" type "\"}"
#define ONE(context)      POD("\"containers\":[" CONTAINER("web", context) "]")
#define TWO(first, other) POD("\"containers\":[" first "," other "]")

#define HEAD                                                                             \
	"{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\","          \
	"\"request\":{\"uid\":\"" UID                                                    \
	"\",\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Pod\"},"              \
	"\"resource\":{\"group\":\"\",\"version\":\"v1\",\"resource\":\"pods\"},"        \
	"\"name\":\"web-0\",\"namespace\":\"shop\",\"operation\":\"CREATE\","            \
	"\"userInfo\":{\"username\":\"alice\",\"uid\":\"1\",\"groups\":[\"dev\","        \
	"\"system:authenticated\"]},\"object\":"
#define TAIL           ",\"oldObject\":null,\"dryRun\":false,\"options\":null}}"
#define REVIEW(object) HEAD object TAIL

#define EXCEPTION(rest)                                                                  \
	"{\"id\":\"ex\",\"allow\":[\"unconfined\",\"unset\"],\"reason\":\"SEC-1\"," rest \
	"}"
#define POLICY(rest) "{\"version\":1," rest "}"

static const struct verdict *
judge_review(struct judge *judge, struct text bytes)
{
	decision_reset(&judge->decision);
	decide_admission(bytes, &judge->circumstances, &judge->decision);
	return &judge->decision.verdict;
}

/* The answer, parsed; the caller gives it back. */
static json_t *
parse_answer(const struct judge *judge)
{
	cleanup_buf struct buf buf = {.limit = ADMISSION_ANSWER_MAX};
	json_error_t error;
	json_t *answer;

	admission_answer(&judge->decision, &buf);
	assert_true(buf_ok(&buf));
	answer = json_loadb(buf.at, buf.len, JSON_REJECT_DUPLICATES, &error);
	if (!answer)
		fail_msg("%s: %s", error.text, buf.at);
	return answer;
}

/* A string within `object` at keys behind one another. */
static const char *
string_at(const json_t *object, const char *first, const char *second, const char *third)
{
	const char *keys[] = {first, second, third};

	for (size_t i = 0; i < COUNT(keys) && keys[i]; i++)
		object = json_object_get(object, keys[i]);
	return json_string_value(object);
}

/* ---- answers ---- */

static void
a_denial_is_answered_by_uid_with_403_and_the_verdicts_message(void **state)
{
	cleanup_judge struct judge judge;
	const struct verdict *verdict;
	json_t *answer, *status;

	(void)state;
	judge_start(&judge, NULL);
	verdict = judge_review(&judge, TEXT_LIT(REVIEW(ONE(TYPE("Unconfined")))));
	assert_int_equal(verdict->decision, DECISION_DENY);
	answer = parse_answer(&judge);
	assert_string_equal(string_at(answer, "kind", NULL, NULL), "AdmissionReview");
	assert_string_equal(string_at(answer, "apiVersion", NULL, NULL),
	                    "admission.k8s.io/v1");
	assert_string_equal(string_at(answer, "response", "uid", NULL), UID);
	assert_true(json_is_false(
	    json_object_get(json_object_get(answer, "response"), "allowed")));
	status = json_object_get(json_object_get(answer, "response"), "status");
	assert_int_equal(json_integer_value(json_object_get(status, "code")), 403);
	assert_string_equal(string_at(status, "reason", NULL, NULL), "Forbidden");
	assert_string_equal(string_at(status, "message", NULL, NULL), verdict->message);
	assert_non_null(strstr(verdict->message, "container \"web\""));
	assert_non_null(strstr(verdict->message, "RuntimeDefault"));
	assert_string_equal(string_at(answer, "response", "auditAnnotations", "decision"),
	                    "deny");
	assert_string_equal(string_at(answer, "response", "auditAnnotations", "rule"),
	                    "default");
	assert_string_equal(string_at(answer, "response", "auditAnnotations", "id"),
	                    verdict->id);
	assert_string_equal(string_at(answer, "response", "auditAnnotations", "policy"),
	                    "built-in");
	json_decref(answer);
}

static void
an_allowance_has_no_status_and_nothing_that_patches(void **state)
{
	cleanup_judge struct judge judge;
	json_t *answer, *response;

	(void)state;
	judge_start(&judge, NULL);
	(void)judge_review(&judge, TEXT_LIT(REVIEW(ONE(TYPE("RuntimeDefault")))));
	answer = parse_answer(&judge);
	response = json_object_get(answer, "response");
	assert_true(json_is_true(json_object_get(response, "allowed")));
	assert_null(json_object_get(response, "status"));
	assert_null(json_object_get(response, "warnings"));
	assert_null(json_object_get(response, "patch"));
	assert_null(json_object_get(response, "patchType"));
	json_decref(answer);
}

static void
the_answer_has_the_version_of_the_question(void **state)
{
	static const struct {
		const char *review, *version;
	} rows[] = {
	    {"{\"apiVersion\":\"admission.k8s.io/v1beta1\",\"kind\":\"AdmissionReview\","
	     "\"request\":{\"uid\":\"u\"}}",
	     "admission.k8s.io/v1beta1"},
	    {"{\"request\":{\"uid\":\"u\"},\"kind\":\"AdmissionReview\",\"apiVersion\":"
	     "\"admission.k8s.io/v1beta1\"}",
	     "admission.k8s.io/v1beta1"},
	    {"{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\","
	     "\"request\":{\"uid\":\"u\"}}",
	     "admission.k8s.io/v1"},
	    {"{\"apiVersion\":\"admission.k8s.io/v2\",\"request\":{\"uid\":\"u\"}}",
	     "admission.k8s.io/v1"},
	};
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		json_t *answer;

		(void)judge_review(&judge, text_of(rows[i].review));
		answer = parse_answer(&judge);
		assert_string_equal(string_at(answer, "apiVersion", NULL, NULL),
		                    rows[i].version);
		assert_string_equal(string_at(answer, "response", "uid", NULL), "u");
		json_decref(answer);
	}
}

static void
what_cannot_be_read_is_denied_by_the_uid_that_could(void **state)
{
	static const struct {
		const char *review, *uid;
	} rows[] = {
	    {"", ""},
	    {"seccomp", ""},
	    {"{}", ""},
	    {"null", ""},
	    {"{\"request\":null}", ""},
	    {"{\"request\":[{\"uid\":\"u\"}]}", ""},
	    {"{\"request\":{\"uid\":7}}", ""},
	    {"{\"request\":{\"uid\":\"u\"}}", "u"},               /* no kind */
	    {"{\"request\":{\"uid\":\"u\",\"object\":{]}}", "u"}, /* no JSON */
	    {"{\"request\":{\"uid\":\"u\",\"UID\":\"v\"}}", "u"},
	    {"{\"request\":{\"uid\":\"u\",\"uid\":\"v\"}}", "u"},
	    {"{\"request\":{\"uid\":\"\\u0075\\\"\"} ", "u\""},
	    {"{\"request\":{\"name\":\"x\",\"uid\":\"u\"", "u"},
	};
	cleanup_judge struct judge judge;

	(void)state;
	/* also where everything is only observed: no API server asked this */
	judge_start(&judge, POLICY("\"mode\":\"observe\""));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct verdict *verdict =
		    judge_review(&judge, text_of(rows[i].review));
		json_t *answer;

		if (verdict->decision != DECISION_DENY || !verdict->on_record)
			fail_msg("%s: %s", rows[i].review,
			         decision_name(verdict->decision));
		answer = parse_answer(&judge);
		assert_string_equal(string_at(answer, "response", "uid", NULL),
		                    rows[i].uid);
		assert_string_equal(string_at(answer, "response", "status", "message"),
		                    verdict->message);
		json_decref(answer);
	}
}

static void
a_uid_too_long_to_be_one_is_not_echoed(void **state)
{
	cleanup_judge struct judge judge;
	cleanup_buf struct buf review = {0};
	json_t *answer;

	(void)state;
	buf_str(&review, "{\"kind\":\"AdmissionReview\",\"apiVersion\":"
	                 "\"admission.k8s.io/v1\",\"request\":{\"uid\":\"");
	for (int i = 0; i <= ADMISSION_UID_MAX; i++)
		buf_char(&review, 'u');
	buf_str(&review, "\"}}");
	judge_start(&judge, NULL);
	assert_int_equal(judge_review(&judge, buf_text(&review))->decision,
	                 DECISION_DENY);
	answer = parse_answer(&judge);
	assert_string_equal(string_at(answer, "response", "uid", NULL), "");
	json_decref(answer);
}

/* ---- warnings ---- */

static size_t
characters(const char *s)
{
	size_t count = 0;

	for (; *s; s++)
		count += ((unsigned char)*s & 0xc0) != 0x80;
	return count;
}

static void
what_is_only_observed_is_warned_about_each_container(void **state)
{
	cleanup_judge struct judge judge;
	json_t *answer, *warnings;

	(void)state;
	judge_start(&judge, POLICY("\"mode\":\"observe\""));
	(void)judge_review(
	    &judge,
	    TEXT_LIT(REVIEW(TWO(CONTAINER("bad", TYPE("Unconfined")),
	                        CONTAINER("good", TYPE("RuntimeDefault")) "," CONTAINER(
				    "worse", "\"privileged\":true")))));
	assert_int_equal(judge.decision.verdict.decision, DECISION_OBSERVE);
	answer = parse_answer(&judge);
	assert_true(json_is_true(
	    json_object_get(json_object_get(answer, "response"), "allowed")));
	assert_string_equal(string_at(answer, "response", "auditAnnotations", "decision"),
	                    "observe");
	warnings = json_object_get(json_object_get(answer, "response"), "warnings");
	assert_int_equal(json_array_size(warnings), 2);
	assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)),
	                       "container \"bad\" would run without a seccomp filter"));
	assert_non_null(strstr(json_string_value(json_array_get(warnings, 1)),
	                       "container \"worse\" would run privileged"));
	json_decref(answer);
}

static void
object_that_cant_be_read_is_named_in_the_warning(void **state)
{
	cleanup_judge struct judge judge;
	json_t *answer, *warnings;

	(void)state;
	judge_start(&judge, POLICY("\"mode\":\"observe\""));
	(void)judge_review(&judge, TEXT_LIT(HEAD "{\"kind\":\"Pod\",\"spec\":7}" TAIL));
	assert_int_equal(judge.decision.verdict.decision, DECISION_OBSERVE);
	answer = parse_answer(&judge);
	warnings = json_object_get(json_object_get(answer, "response"), "warnings");
	assert_int_equal(json_array_size(warnings), 1);
	assert_non_null(
	    strstr(json_string_value(json_array_get(warnings, 0)),
	           "seccomp-authz only observes: object \"web-0\" of kind \"Pod\""));
	json_decref(answer);
}

static void
warnings_stay_within_what_api_servers_show(void **state)
{
	cleanup_judge struct judge judge;
	cleanup_buf struct buf review = {0};
	json_t *answer, *warnings;
	size_t all = 0;

	(void)state;
	buf_str(&review, HEAD "{\"kind\":\"Pod\",\"spec\":{\"containers\":[");
	for (int i = 0; i < 900; i++) {
		buf_printf(&review, "%s{\"name\":\"%d", i ? "," : "", i);
		for (int k = 0; k < 300; k++)
			buf_str(&review, "\xc3\xa4");
		buf_str(&review, "\"}");
	}
	buf_str(&review, "]}}" TAIL);
	judge_start(&judge, POLICY("\"mode\":\"observe\""));
	(void)judge_review(&judge, buf_text(&review));
	assert_int_equal(judge.decision.verdict.decision, DECISION_OBSERVE);
	answer = parse_answer(&judge);
	warnings = json_object_get(json_object_get(answer, "response"), "warnings");
	assert_true(json_array_size(warnings) > 4);
	for (size_t i = 0; i < json_array_size(warnings); i++) {
		const char *warning = json_string_value(json_array_get(warnings, i));

		assert_true(characters(warning) <= 256);
		all += characters(warning);
	}
	assert_true(all <= 4096);
	json_decref(answer);
}

/* NOW_US is 2024-02-29T12:34:56 */
static void
an_exception_that_ends_soon_is_warned_about(void **state)
{
	static const struct {
		const char *expires;
		size_t warnings;
	} rows[] = {
	    {"\"expires\":\"2024-02-29T12:34:57Z\",", 1},
	    {"\"expires\":\"2024-03-14T12:34:56Z\",", 1},
	    {"\"expires\":\"2024-03-14T12:34:57Z\",", 0},
	    {"", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_judge struct judge judge;
		char policy[512];
		json_t *answer, *warnings;

		(void)snprintf(policy, sizeof policy,
		               POLICY("\"exceptions\":[" EXCEPTION(
				   "%s\"match\":{\"namespace\":[\"shop\"]}") "]"),
		               rows[i].expires);
		judge_start(&judge, policy);
		/* two containers, one exception: said once */
		(void)judge_review(
		    &judge, TEXT_LIT(REVIEW(TWO(CONTAINER("a", TYPE("Unconfined")),
		                                CONTAINER("b", TYPE("Unconfined"))))));
		assert_int_equal(judge.decision.verdict.decision, DECISION_ALLOW);
		answer = parse_answer(&judge);
		warnings =
		    json_object_get(json_object_get(answer, "response"), "warnings");
		assert_int_equal(json_array_size(warnings), rows[i].warnings);
		if (rows[i].warnings) {
			const char *text = json_string_value(json_array_get(warnings, 0));

			assert_non_null(strstr(text, "\"ex\""));
			assert_non_null(strstr(text, "\"a\""));
			assert_non_null(strstr(text, "2024-0"));
			assert_non_null(strstr(text, "Z"));
		}
		assert_string_equal(
		    string_at(answer, "response", "auditAnnotations", "rule"), "ex");
		json_decref(answer);
	}
}

/* ---- reviews that are not read as a whole ---- */

static void
the_uid_is_found_in_any_prefix_that_holds_it(void **state)
{
	const char *review = REVIEW(ONE(TYPE("RuntimeDefault")));
	size_t end = (size_t)(strstr(review, UID) - review) + strlen(UID) + 1;

	(void)state;
	for (size_t len = 0; len <= strlen(review); len++) {
		cleanup_arena struct arena arena = {0};
		struct text uid =
		    admission_find_uid((struct text){.at = review, .len = len}, &arena);

		if (text_is(uid, UID) != (len >= end) || (len < end && uid.at))
			fail_msg("%zu bytes: \"%.*s\"", len, TEXT_ARG(uid));
	}
}

static void
a_refusal_says_whom_and_what_it_is_about_as_far_as_that_is_there(void **state)
{
	static const enum reason reasons[] = {REASON_TOO_LARGE, REASON_BUSY,
	                                      REASON_NO_MEMORY};
	cleanup_judge struct judge judge;
	json_t *answer;

	(void)state;
	judge_start(&judge, POLICY("\"mode\":\"observe\""));
	for (size_t i = 0; i < COUNT(reasons); i++) {
		const struct decision *decision = &judge.decision;

		decision_reset(&judge.decision);
		decide_admission_refusal(reasons[i], TEXT_LIT(HEAD "{\"kind\":\"P"),
		                         &judge.circumstances, &judge.decision);
		assert_int_equal(decision->verdict.decision, DECISION_DENY);
		assert_int_equal(decision->verdict.reason, reasons[i]);
		assert_int_equal(decision->workload.door, DOOR_KUBERNETES);
		assert_true(text_is(decision->workload.user, "alice"));
		assert_true(text_is(decision->workload.space, "shop"));
		assert_true(text_is(decision->admission.kind, "Pod"));
		assert_true(text_is(decision->admission.name, "web-0"));
		answer = parse_answer(&judge);
		assert_string_equal(string_at(answer, "response", "uid", NULL), UID);
		json_decref(answer);
	}
	assert_null(strstr(judge.decision.verdict.message, "dockerd"));
}

static void
a_refusal_of_nothing_is_a_denial_too(void **state)
{
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, NULL);
	decide_admission_refusal(REASON_BUSY, (struct text){0}, &judge.circumstances,
	                         &judge.decision);
	assert_int_equal(judge.decision.verdict.decision, DECISION_DENY);
	assert_null(judge.decision.admission.uid.at);
}

/* ---- facts ---- */

static void
facts_for_exceptions_are_read(void **state)
{
	cleanup_judge struct judge judge;
	const struct workload *workload = &judge.decision.workload;
	const struct container *container;

	(void)state;
	judge_start(&judge, NULL);
	(void)judge_review(&judge,
	                   TEXT_LIT(REVIEW(POD("\"runtimeClassName\":\"gvisor\","
	                                       "\"containers\":[" CONTAINER(
						   "web", TYPE("RuntimeDefault")) "]"))));
	assert_int_equal(workload->door, DOOR_KUBERNETES);
	assert_int_equal(workload->operation, OPERATION_ADMISSION);
	assert_true(text_is(workload->user, "alice"));
	assert_true(text_is(workload->space, "shop"));
	assert_int_equal(workload->groups.count, 2);
	assert_true(text_is(workload->groups.at[1], "system:authenticated"));
	assert_int_equal(workload->count, 1);
	container = workload->containers;
	assert_true(text_is(container->name, "web"));
	assert_true(text_is(container->image.text, "docker.io/library/nginx:latest"));
	assert_true(text_is(container->runtime, "gvisor"));
	assert_int_equal(container->labels.count, 1);
	assert_true(text_is(container->labels.at[0].value, "tools"));
}

static void
each_container_is_ruled_on_its_own(void **state)
{
	cleanup_judge struct judge judge;
	const struct decision *decision = &judge.decision;

	(void)state;
	judge_start(&judge, POLICY("\"observe\":[\"unset\"],\"exceptions\":[" EXCEPTION(
				"\"match\":{\"name\":[\"excepted\"]}") "]"));
	(void)judge_review(
	    &judge,
	    TEXT_LIT(REVIEW(
		TWO(CONTAINER("good", TYPE("RuntimeDefault")),
	            CONTAINER("excepted", TYPE("Unconfined")) "," CONTAINER(
			"observed", "") "," CONTAINER("refused", TYPE("Unconfined"))))));
	assert_int_equal(decision->verdict.decision, DECISION_DENY);
	assert_int_equal(decision->verdict.container, 3);
	assert_int_equal(decision->verdict.other_count, 0);
	assert_int_equal(decision->rulings[0].mode, RULE_OFF);
	assert_null(decision->rulings[0].exception);
	assert_int_equal(decision->rulings[1].mode, RULE_OFF);
	assert_non_null(decision->rulings[1].exception);
	assert_int_equal(decision->rulings[2].mode, RULE_OBSERVE);
	assert_int_equal(decision->rulings[3].mode, RULE_ENFORCE);
}

static void
a_record_says_which_object_it_was(void **state)
{
	cleanup_judge struct judge judge;
	cleanup_buf struct buf line = {0};
	json_t *record;

	(void)state;
	judge_start(&judge, NULL);
	(void)judge_review(&judge,
	                   TEXT_LIT(HEAD ONE(TYPE("Unconfined")) ",\"dryRun\":true}}"));
	record_line(&line, &judge.decision, &judge.circumstances, TEXT_LIT("h"));
	buf_char(&line, '}');
	record = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(record);
	assert_string_equal(string_at(record, "door", NULL, NULL), "kubernetes");
	assert_string_equal(string_at(record, "operation", NULL, NULL), "admission");
	assert_string_equal(string_at(record, "user", NULL, NULL), "alice");
	assert_string_equal(string_at(record, "namespace", NULL, NULL), "shop");
	assert_string_equal(string_at(record, "kind", NULL, NULL), "Pod");
	assert_string_equal(string_at(record, "object", NULL, NULL), "web-0");
	assert_true(json_is_true(json_object_get(record, "dry_run")));
	json_decref(record);
}

static void
each_exception_that_is_used_is_on_record(void **state)
{
	cleanup_judge struct judge judge;
	cleanup_buf struct buf line = {0};
	json_t *record, *containers;

	(void)state;
	judge_start(
	    &judge,
	    POLICY("\"exceptions\":[" EXCEPTION(
		"\"match\":{\"name\":[\"a\"]}") ","
	                                        "{\"id\":\"other\",\"allow\":["
	                                        "\"privileged\"],\"match\":{"
	                                        "\"name\":[\"b\"]},\"reason\":\"r\"}]"));
	(void)judge_review(&judge,
	                   TEXT_LIT(REVIEW(TWO(CONTAINER("a", TYPE("Unconfined")),
	                                       CONTAINER("b", "\"privileged\":true")))));
	assert_int_equal(judge.decision.verdict.reason, REASON_EXCEPTION);
	record_line(&line, &judge.decision, &judge.circumstances, TEXT_LIT("h"));
	buf_char(&line, '}');
	record = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES, NULL);
	assert_string_equal(string_at(record, "rule", NULL, NULL), "ex");
	containers = json_object_get(record, "containers");
	assert_null(string_at(json_array_get(containers, 0), "rule", NULL, NULL));
	assert_string_equal(string_at(json_array_get(containers, 1), "rule", NULL, NULL),
	                    "other");
	json_decref(record);
}

static void
without_a_policy_every_pod_is_denied_and_nothing_else(void **state)
{
	cleanup_judge struct judge judge;
	const char *review = REVIEW(ONE(TYPE("RuntimeDefault")));

	(void)state;
	judge_start(&judge, NULL);
	judge.circumstances.policy = NULL;
	judge.circumstances.broken = TEXT_LIT("policy.json: /mode: is missing");
	assert_int_equal(judge_review(&judge, text_of(review))->reason,
	                 REASON_POLICY_BROKEN);
	assert_int_equal(judge_review(&judge, TEXT_LIT(HEAD "null,\"subResource\":"
	                                                    "\"exec\"}}"))
	                     ->decision,
	                 DECISION_ALLOW);
}

/* ---- size ---- */

/* A pod whose only large thing is one that nobody judges, in `written` bytes a byte. */
static void
write_large(struct buf *review, size_t count, const char *written)
{
	buf_str(review, HEAD "{\"kind\":\"Pod\",\"metadata\":{\"annotations\":{\"a\":\"");
	for (size_t i = 0; i < count; i++)
		buf_str(review, written);
	buf_str(review, "\"}},\"spec\":{\"containers\":[" CONTAINER(
			    "web", TYPE("Unconfined")) "]}}" TAIL);
}

static void
a_large_review_takes_no_more_memory_than_a_small_one(void **state)
{
	cleanup_judge struct judge judge;
	cleanup_buf struct buf review = {0};

	(void)state;
	write_large(&review, (size_t)3 * 1024 * 1024,
	            "\\u003c"); /* as an API server would */
	assert_true(buf_ok(&review) && review.len > (size_t)18 * 1024 * 1024);
	judge_start(&judge, NULL);
	assert_int_equal(judge_review(&judge, buf_text(&review))->reason, REASON_POSTURE);
	assert_true(judge.decision.arena.total <= (size_t)4 * ARENA_BLOCK);
}

static void
a_review_past_its_memory_is_denied(void **state)
{
	cleanup_judge struct judge judge;
	cleanup_buf struct buf review = {0};

	(void)state;
	buf_str(&review,
	        HEAD "{\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"name\":\"w\\u0065");
	for (size_t i = 0; i < ADMISSION_MEMORY_MAX; i++)
		buf_char(&review, 'b');
	buf_str(&review, "\",\"securityContext\":{" TYPE("RuntimeDefault") "}}]}}" TAIL);
	judge_start(&judge, NULL);
	assert_int_equal(judge_review(&judge, buf_text(&review))->reason,
	                 REASON_NO_MEMORY);
	assert_true(judge.decision.arena.total <= ADMISSION_MEMORY_MAX);
	assert_true(text_is(judge.decision.admission.uid, UID));
}

static void
a_thousand_containers_are_judged_in_that_memory(void **state)
{
	cleanup_judge struct judge judge;
	cleanup_buf struct buf review = {0};

	(void)state;
	buf_str(&review, HEAD "{\"kind\":\"Pod\",\"spec\":{\"containers\":[");
	for (int i = 0; i < WORKLOAD_CONTAINERS_MAX; i++)
		buf_printf(&review, "%s{\"name\":\"c%d\",\"image\":\"registry/%d\"}",
		           i ? "," : "", i, i);
	buf_str(&review, "],\"securityContext\":{" TYPE("RuntimeDefault") "}}}" TAIL);
	judge_start(&judge, NULL);
	assert_int_equal(judge_review(&judge, buf_text(&review))->reason, REASON_ALLOWED);
	assert_int_equal(judge.decision.workload.count, WORKLOAD_CONTAINERS_MAX);
	assert_true(judge.decision.arena.total <= ADMISSION_MEMORY_MAX / 2);
}

/* ---- manifests ---- */

struct walked {
	struct judge *judge;
	char seen[256]; /* "allow deny " */
};

static int
walk(const struct manifest_part *part, void *context)
{
	struct walked *walked = context;
	struct decision *decision = &walked->judge->decision;
	size_t len = strlen(walked->seen);

	decision_reset(decision);
	decide_manifest(part, &walked->judge->circumstances, decision);
	(void)snprintf(walked->seen + len, sizeof walked->seen - len, "%s ",
	               decision_name(decision->verdict.decision));
	return 0;
}

#define GOOD        ONE(TYPE("RuntimeDefault"))
#define BAD         ONE(TYPE("Unconfined"))
#define SPEC        "\"spec\":{\"containers\":[" CONTAINER("web", TYPE("Unconfined")) "]}"
#define LIST(items) "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":" items "}"

static void
every_object_of_a_manifest_is_judged(void **state)
{
	static const struct {
		const char *manifest, *seen;
		int result;
	} rows[] = {
	    {GOOD, "allow ", 0},
	    {LIST("[]"), "", 0},
	    {LIST("null"), "", 0},
	    {LIST("[" GOOD "," BAD "]"), "allow deny ", 0},
	    {LIST("[" LIST("[" BAD "]") "," GOOD "]"), "deny allow ", 0},
	    {"[" GOOD "," LIST("[" BAD "]") "]", "allow deny ", 0},
	    {"{\"apiVersion\":\"v1\",\"kind\":\"PodList\",\"items\":[{" SPEC "},{}]}",
	     "deny deny ", 0},
	    {"{\"apiVersion\":\"apps/"
	     "v1\",\"kind\":\"DeploymentList\",\"items\":[{\"spec\":{"
	     "\"template\":{" SPEC "}}}," GOOD "]}",
	     "deny allow ", 0},
	    {"{\"apiVersion\":\"x.io/v1\",\"kind\":\"PodList\",\"items\":[{" SPEC "}]}",
	     "allow ", 0},
	    {"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMapList\",\"items\":[1]}", "", 0},
	    {"{\"apiVersion\":\"v1\",\"kind\":\"AllowList\",\"items\":\"a\"}", "", -1},
	    /* to kubectl, whatever has items is a list */
	    {"{\"apiVersion\":\"v1\",\"kind\":\"FooList\",\"items\":[{}," BAD "]}",
	     "allow deny ", 0},
	    {"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"items\":[{},1," BAD "]}",
	     "allow allow deny ", 0},
	    {"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"items\":\"a\"}", "allow ",
	     0},
	    {LIST("[" GOOD ",1]"), "allow ", -1},
	    {LIST("{}"), "", -1},
	    {"1", "", -1},
	    {"", "", -1},
	    {GOOD "x", "allow ", -1},
	    {"[[[[[[[[[" GOOD "]]]]]]]]]", "", -1},
	};
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_arena struct arena arena = {0};
		struct walked walked = {.judge = &judge};
		struct err err = {0};
		int result =
		    manifest_each(text_of(rows[i].manifest), &arena, walk, &walked, &err);

		if (result != rows[i].result || strcmp(walked.seen, rows[i].seen) != 0 ||
		    (result != 0) != (err.code != ERR_NONE))
			fail_msg("%s: %d %s(%s)", rows[i].manifest, result, walked.seen,
			         err.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_denial_is_answered_by_uid_with_403_and_the_verdicts_message),
	    cmocka_unit_test(an_allowance_has_no_status_and_nothing_that_patches),
	    cmocka_unit_test(the_answer_has_the_version_of_the_question),
	    cmocka_unit_test(what_cannot_be_read_is_denied_by_the_uid_that_could),
	    cmocka_unit_test(a_uid_too_long_to_be_one_is_not_echoed),
	    cmocka_unit_test(what_is_only_observed_is_warned_about_each_container),
	    cmocka_unit_test(object_that_cant_be_read_is_named_in_the_warning),
	    cmocka_unit_test(warnings_stay_within_what_api_servers_show),
	    cmocka_unit_test(an_exception_that_ends_soon_is_warned_about),
	    cmocka_unit_test(the_uid_is_found_in_any_prefix_that_holds_it),
	    cmocka_unit_test(
		a_refusal_says_whom_and_what_it_is_about_as_far_as_that_is_there),
	    cmocka_unit_test(a_refusal_of_nothing_is_a_denial_too),
	    cmocka_unit_test(facts_for_exceptions_are_read),
	    cmocka_unit_test(each_container_is_ruled_on_its_own),
	    cmocka_unit_test(a_record_says_which_object_it_was),
	    cmocka_unit_test(each_exception_that_is_used_is_on_record),
	    cmocka_unit_test(without_a_policy_every_pod_is_denied_and_nothing_else),
	    cmocka_unit_test(a_large_review_takes_no_more_memory_than_a_small_one),
	    cmocka_unit_test(a_review_past_its_memory_is_denied),
	    cmocka_unit_test(a_thousand_containers_are_judged_in_that_memory),
	    cmocka_unit_test(every_object_of_a_manifest_is_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
