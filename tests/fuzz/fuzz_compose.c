/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_compose.c - no service passes that asks in plain words for no filter. */
#include "fuzz.h"

#include "core/compose.h"
#include "edge/yaml_json.h"

struct compose_run {
	struct text document;
	const struct policy *policy;
	struct fuzz_random random;
	size_t count;
};

static struct verdict
judge(const struct compose_run *run, struct text name, struct text object,
      struct arena memory)
{
	cleanup_decision struct decision decision = {.arena = memory};
	struct circumstances circumstances = fuzz_circumstances(run->policy);
	struct compose_service service = {
	    .name = name,
	    .layers = {object},
	    .count = 1,
	    .merged = name.len % 2 == 1,
	};
	bool had = true;
	cleanup_arena struct arena arena = {0};
	struct compose_extends elsewhere;
	struct compose_profiles profiles;

	if (compose_extend(&service, run->document, &arena, &elsewhere,
	                   &service.unseen) == 0 &&
	    elsewhere.service.at)
		(void)err_set(&service.unseen, ERR_SYSTEM, "elsewhere");
	CHECK(service.count >= 1 && service.count <= COMPOSE_LAYERS_MAX);
	compose_profiles_of(&service, &arena, &profiles);
	CHECK(profiles.count <= COMPOSE_PROFILES_MAX);
	for (size_t i = 0; i < profiles.count; i++) {
		if (profiles.at[i].path.len % 2 == 1)
			service.profiles[i] =
			    TEXT_LIT("{\"defaultAction\":\"SCMP_ACT_ERRNO\"}");
		had = had && service.profiles[i].at;
	}
	decide_compose(&service, &circumstances, &decision);
	fuzz_check_verdict(&decision.verdict);
	CHECK(service.unseen.code == ERR_NONE || !fuzz_passes(&decision.verdict));
	CHECK(had || !fuzz_passes(&decision.verdict));
	return decision.verdict;
}

/* The last option of a service that extends nothing, in the words of the documentation. */
static bool
asks_for_none(const json_t *service)
{
	const json_t *options = json_object_get(service, "security_opt"), *option;
	bool none = json_is_true(json_object_get(service, "privileged"));
	bool unconfined = false;
	size_t i;

	json_array_foreach (options, i, option) {
		const char *text = json_string_value(option);

		if (!text || strncmp(text, "seccomp", 7) != 0)
			continue;
		unconfined = strcmp(text, "seccomp=unconfined") == 0 ||
		             strcmp(text, "seccomp:unconfined") == 0;
	}
	return none || unconfined;
}

static int
check_service(struct text name, struct text object, void *context)
{
	struct compose_run *run = context;
	struct arena none = {0};
	struct verdict plain = judge(run, name, object, none);
	struct verdict tight =
	    judge(run, name, object,
	          fuzz_small_arena((size_t)fuzz_pick(&run->random, 128) * 16));
	json_error_t error;
	json_t *tree = json_loadb(object.at, object.len, JSON_ALLOW_NUL, &error);

	CHECK(++run->count <= COMPOSE_SERVICES_MAX);
	CHECK(tight.decision <= plain.decision);
	if (tree && run->policy == fuzz_policy(0) && asks_for_none(tree))
		CHECK(!fuzz_passes(&plain));
	json_decref(tree);
	return 0;
}

static void
check_document(struct text document)
{
	for (unsigned i = 0; i < FUZZ_POLICIES; i++) {
		struct compose_run run = {.document = document,
		                          .policy = fuzz_policy(i),
		                          .random = fuzz_random(document)};
		cleanup_arena struct arena arena = {0};
		struct compose_includes includes = {0};
		struct err err = {0};

		(void)compose_recognise(document, &arena);
		if (compose_each(document, &arena, check_service, &run, &includes,
		                 &err) != 0)
			CHECK(err.code != ERR_NONE);
		CHECK(includes.count <= COMPOSE_INCLUDES_MAX);
		for (size_t k = 0; k < includes.count; k++)
			CHECK(includes.at[k].paths.count <= COMPOSE_INCLUDES_MAX);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text input = fuzz_text(data, size);
	struct yaml_reader *reader = yaml_open(input, YAML_COMPOSE);
	struct yaml_document document = {.marks = NULL};
	struct yaml_place place;
	struct err err = {0};

	check_document(input); /* as JSON, well-formed or not */
	while (reader && yaml_next(reader, &document, &place, &err) > 0)
		check_document(buf_text(&document.json));
	yaml_document_free(&document);
	yaml_close(reader);
	return 0;
}
