/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kubernetes - AdmissionReviews and manifests -> workload; verdict -> AdmissionReview.
 *
 * Invariant: what an API server would run of an object is judged, or the object is
 * POSTURE_UNREADABLE. API servers send canonical JSON: keys in their one spelling
 * (apimachinery decodes them case-sensitively), each once. On the way to a judged field a
 * key that is given twice, or in another case, is therefore refused as ambiguous; what
 * nobody judges is checked and skipped. Pure; thread-safe.
 *
 * Sources: k8s.io/api admission/v1 and v1beta1 types.go; pod-security-admission
 * (admission/admission.go for what is judged at all, policy/visitor.go for the containers
 * of a pod); kubelet kuberuntime/helpers.go for which setting wins.
 */
#pragma once

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/text.h"
#include "core/workload.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	ADMISSION_REVIEW_MAX = 40 * 1024 * 1024, /* bytes of a review that is judged */
	ADMISSION_HEAD_MAX = 64 * 1024,          /* bytes in which a uid is looked for */
	ADMISSION_UID_MAX = 256, /* bytes of a uid; API servers send a UUID of 36 */
	ADMISSION_MEMORY_MAX = 8 * 1024 * 1024, /* that one decision takes besides */
	ADMISSION_ANSWER_MAX = 64 * 1024,       /* bytes of an answer */
	ADMISSION_SOON = 14 * 24 * 3600, /* seconds before an exception's end to warn */
	MANIFEST_PARTS_MAX = 100000,     /* objects of one manifest */
};

/* In which an answer is given: the one of the question; v1 if that is none of these. */
enum admission_version { ADMISSION_V1, ADMISSION_V1BETA1 };

/* What an AdmissionReview says besides who asks (workload.user, .groups, .space) and what
   would run. Texts are missing where it says nothing. */
struct admission {
	enum admission_version version;
	struct text uid;         /* missing or at most ADMISSION_UID_MAX bytes */
	struct text operation;   /* CREATE, UPDATE, DELETE, CONNECT */
	struct text group, kind; /* of the object */
	struct text resource_group, resource; /* "apps", "deployments" */
	struct text subresource;              /* "ephemeralcontainers" */
	struct text name; /* of the object; empty: yet to be generated */
	bool dry_run;
	struct text object, old; /* JSON; missing: null or absent */
};

/* "admission.k8s.io/v1" */
const char *admission_version_name(enum admission_version version);

/*
 * Reads a review, but for its objects; puts the user, the groups and the namespace into
 * `workload`. -1: it is none that can be answered but by a denial; *ret_admission then
 * holds what came before the fault.
 */
int admission_read(struct text bytes, struct arena *arena,
                   struct admission *ret_admission, struct workload *workload,
                   struct err *err);

/*
 * The same from a prefix of a review: whatever stands in it. API servers write the uid
 * first of all, then kind, name, namespace, operation and user before the object. For
 * reviews that nobody can read as a whole.
 */
void admission_read_head(struct text prefix, struct arena *arena,
                         struct admission *ret_admission, struct workload *workload);

/* The uid alone; missing if it is not in `prefix`. `arena` holds it if it had escapes. */
struct text admission_find_uid(struct text prefix, struct arena *arena);

/*
 * Adds what the object of a review would run. False: nothing that we judge (another kind,
 * a subresource that runs nothing, a deletion, an update that changes nothing that a
 * posture or a criterion depends on).
 */
bool admission_workload(const struct admission *admission, struct arena *arena,
                        struct workload *workload);

/* One object of a manifest. */
struct manifest_part {
	struct text object; /* JSON */
	struct text kind;   /* what the list says of its items; missing: see the object */
	struct text api_version;
};

/*
 * Calls `each` for every object in `bytes`: an object, a list (kind List, PodList, ...) or
 * a JSON array of them, also in one another. -1: no JSON of that shape, or `each` said so.
 */
int manifest_each(struct text bytes, struct arena *arena,
                  int (*each)(const struct manifest_part *part, void *context),
                  void *context, struct err *err);

/* Adds what the object would run, its namespace too; false: nothing that we judge.
   *ret_admission gets its kind and name. */
bool manifest_workload(const struct manifest_part *part, struct arena *arena,
                       struct admission *ret_admission, struct workload *workload);

struct decision; /* core/decide.h */

/*
 * Appends the AdmissionReview that answers a decision of decide_admission() or
 * decide_admission_refusal(): version and uid as asked, `allowed`, for a denial a status
 * of 403 with the verdict's message, warnings (at most 256 characters each, 4096 in all,
 * as API servers cut them: apiserver endpoints/filters/warning.go) for what is only
 * observed and for exceptions that end within ADMISSION_SOON, audit annotations
 * `decision`, `rule`, `id` and `policy`. Always to be sent with HTTP 200: API servers
 * take anything else for a webhook that failed. The policy that judged must still be
 * held: exceptions borrow from it. At most ADMISSION_ANSWER_MAX bytes.
 */
void admission_answer(const struct decision *decision, struct buf *out);
