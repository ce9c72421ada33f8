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

static void
report(struct manifest *manifest, const struct manifest_part *part,
       const struct decision *decision)
{
	const char *at = place_in_object(part->object, decision);
	int found = check_report(manifest->check, manifest->document,
	                         at ? at : part->object.at, decision);

	manifest->worst = found > manifest->worst ? found : manifest->worst;
}

/* A line for each container; for the object where it can't be read, since the reason is
   one for all, or where it runs nothing. */
static int
check_object(const struct manifest_part *part, void *context)
{
	struct manifest *manifest = context;
	cleanup_decision struct decision decision = {0};
	struct circumstances circumstances = check_circumstances(manifest->check);

	decide_manifest(part, &circumstances, &decision);
	manifest->count++;
	if (!decision.rulings || decision.workload.unreadable.code != ERR_NONE) {
		report(manifest, part, &decision);
		return 0;
	}
	for (size_t i = 0; i < decision.workload.count; i++) {
		decide_alone(&decision, i);
		report(manifest, part, &decision);
	}
	return 0;
}

/* What could not be walked to its end may hold anything. */
static void
report_broken(struct manifest *manifest, const struct err *err)
{
	const struct check_document *document = manifest->document;
	bool known = err->byte > 0 && err->byte <= document->text.len;
	const char *at = document->text.at + (known ? err->byte - 1 : 0);
	int found = check_report_unread(manifest->check, document,
	                                check_place(manifest->check, document, at), err);

	manifest->worst = found > manifest->worst ? found : manifest->worst;
	manifest->count++;
}

/* A line for each object of it. */
static int
check_manifest_document(struct check *check, const struct check_document *document)
{
	cleanup_arena struct arena arena = {0};
	struct manifest manifest = {.check = check, .document = document};
	cleanup_decision struct decision decision = {0};
	struct circumstances circumstances = check_circumstances(check);
	struct err err = {0};

	if (manifest_each(document->text, &arena, check_object, &manifest, &err) != 0)
		report_broken(&manifest, &err);
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
