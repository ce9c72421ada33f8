/* SPDX-License-Identifier: Apache-2.0 */
/* check_kubernetes.c - manifests and AdmissionReviews, judged. */
#include "cmd_check.h"

/* ---- manifests ---- */

/* What the objects of a manifest have in common. */
struct manifest {
	struct check *check;
	const struct check_document *document;
	size_t count;
	int worst;
};

static const char *
place_in_object(struct text object, const struct decision *decision)
{
	const struct verdict *verdict = &decision->verdict;
	size_t byte = decision->workload.unreadable.byte;

	if (verdict->has_posture && verdict->posture == POSTURE_UNREADABLE && byte > 0 &&
	    byte <= object.len)
		return object.at + byte - 1;
	return check_find_pod(object, decision);
}

static int
check_object(const struct manifest_part *part, void *context)
{
	struct manifest *manifest = context;
	cleanup_decision struct decision decision = {0};
	struct circumstances circumstances = check_circumstances(manifest->check);
	const char *at;
	int found;

	decide_manifest(part, &circumstances, &decision);
	at = place_in_object(part->object, &decision);
	found = check_report(manifest->check, manifest->document,
	                     at ? at : part->object.at, &decision);
	manifest->worst = found > manifest->worst ? found : manifest->worst;
	manifest->count++;
	return 0;
}

/* A line for each object of it. */
static int
check_manifest_document(struct check *check, const struct check_document *document)
{
	cleanup_arena struct arena arena = {0};
	struct manifest manifest = {.check = check, .document = document};
	const struct manifest_part all = {.object = document->text};
	cleanup_decision struct decision decision = {0};
	struct circumstances circumstances = check_circumstances(check);
	struct err err = {0};

	if (manifest_each(document->text, &arena, check_object, &manifest, &err) != 0)
		(void)check_object(&all, &manifest);
	if (manifest.count > 0)
		return manifest.worst;
	decide_nothing(&circumstances, &decision);
	return check_report(check, document, document->text.at, &decision);
}

int
check_manifest(struct check *check, const struct check_document *document)
{
	return check_each_yaml(check, document, YAML_KUBERNETES, check_manifest_document);
}

/* ---- reviews ---- */

int
check_admission(struct check *check, const struct check_document *document)
{
	cleanup_decision struct decision decision = {0};
	struct circumstances circumstances = check_circumstances(check);
	const char *at;

	decide_admission(document->text, &circumstances, &decision);
	at = decision.admission.object.at
	         ? place_in_object(decision.admission.object, &decision)
	         : NULL;
	return check_report(check, document, at ? at : document->text.at, &decision);
}
