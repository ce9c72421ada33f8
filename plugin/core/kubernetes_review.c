/* SPDX-License-Identifier: Apache-2.0 */
/* kubernetes_review.c - the envelope: what an AdmissionReview says of itself. */
#include "core/kubernetes.h"

#include "core/json_go.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

struct review {
	struct text kind, api_version;
	bool has_request;
	struct admission admission;
	struct text space, user;
	struct text_list groups;
};

#define FIELD(member) offsetof(struct review, member)

/* The objects on the way; each reads into the one struct, so offsets start at its base. */
static int
read_part(struct json *json, const struct json_field *fields, size_t count, void *into)
{
	return json_read_null(json) ? 0 : json_read_struct(json, fields, count, into);
}

static int
read_kind(struct json *json, void *into)
{
	static const struct json_field fields[] = {
	    {"group", json_read_text, FIELD(admission.group)},
	    {"kind", json_read_text, FIELD(admission.kind)},
	};

	return read_part(json, fields, COUNT(fields), into);
}

static int
read_resource(struct json *json, void *into)
{
	static const struct json_field fields[] = {
	    {"group", json_read_text, FIELD(admission.resource_group)},
	    {"resource", json_read_text, FIELD(admission.resource)},
	};

	return read_part(json, fields, COUNT(fields), into);
}

static int
read_user(struct json *json, void *into)
{
	static const struct json_field fields[] = {
	    {"username", json_read_text, FIELD(user)},
	    {"groups", json_read_text_list, FIELD(groups)},
	};

	return read_part(json, fields, COUNT(fields), into);
}

/* Raw, or missing for null. */
static int
read_object(struct json *json, void *ret_value)
{
	return json_read_null(json) ? 0 : json_read_raw(json, ret_value);
}

static int
read_request(struct json *json, void *into)
{
	static const struct json_field fields[] = {
	    {"uid", json_read_text, FIELD(admission.uid)},
	    {"kind", read_kind, 0},
	    {"resource", read_resource, 0},
	    {"subResource", json_read_text, FIELD(admission.subresource)},
	    {"name", json_read_text, FIELD(admission.name)},
	    {"namespace", json_read_text, FIELD(space)},
	    {"operation", json_read_text, FIELD(admission.operation)},
	    {"userInfo", read_user, 0},
	    {"object", read_object, FIELD(admission.object)},
	    {"oldObject", read_object, FIELD(admission.old)},
	    {"dryRun", json_read_bool, FIELD(admission.dry_run)},
	};
	struct review *review = into;

	review->has_request = json_peek(json) == JSON_OBJECT;
	return read_part(json, fields, COUNT(fields), into);
}

static const struct json_field review_fields[] = {
    {"kind", json_read_text, FIELD(kind)},
    {"apiVersion", json_read_text, FIELD(api_version)},
    {"request", read_request, 0},
};

static const char *const versions[] = {
    [ADMISSION_V1] = "admission.k8s.io/v1",
    [ADMISSION_V1BETA1] = "admission.k8s.io/v1beta1",
};

const char *
admission_version_name(enum admission_version version)
{
	return versions[version];
}

/* -1: none of ours. */
static int
version_of(struct text api_version)
{
	for (size_t i = 0; i < COUNT(versions); i++) {
		if (text_is(api_version, versions[i]))
			return (int)i;
	}
	return -1;
}

/* What can't be echoed is as good as none. */
static struct text
usable_uid(struct text uid)
{
	return uid.len > 0 && uid.len <= ADMISSION_UID_MAX ? uid : (struct text){0};
}

/* Whatever was read, the whole or less. */
static void
hand_out(const struct review *review, struct admission *ret_admission,
         struct workload *workload)
{
	*ret_admission = review->admission;
	ret_admission->uid = usable_uid(review->admission.uid);
	if (version_of(review->api_version) >= 0)
		ret_admission->version =
		    (enum admission_version)version_of(review->api_version);
	workload->space = review->space;
	workload->user = review->user;
	workload->groups = review->groups;
}

static int
check(const struct review *review, const struct admission *admission, struct err *err)
{
	if (!text_is(review->kind, "AdmissionReview") ||
	    version_of(review->api_version) < 0)
		return err_set(err, ERR_TYPE,
		               "no AdmissionReview of admission.k8s.io/v1 or v1beta1");
	if (!review->has_request)
		return err_set(err, ERR_TYPE, "request is missing");
	if (!admission->uid.at)
		return err_set(err, ERR_TYPE, "request.uid is missing, or longer than %d",
		               ADMISSION_UID_MAX);
	return 0;
}

int
admission_read(struct text bytes, struct arena *arena, struct admission *ret_admission,
               struct workload *workload, struct err *err)
{
	struct review review = {0};
	struct json json = json_start(bytes, arena, err);
	int result;

	json.exact = true;
	result = json_read_struct(&json, review_fields, COUNT(review_fields), &review);
	if (result == 0)
		result = json_finish(&json);
	hand_out(&review, ret_admission, workload);
	return result == 0 ? check(&review, ret_admission, err) : -1;
}

void
admission_read_head(struct text prefix, struct arena *arena,
                    struct admission *ret_admission, struct workload *workload)
{
	struct err ignored = {0};

	(void)admission_read(text_first(prefix, prefix.len < ADMISSION_HEAD_MAX
	                                            ? prefix.len
	                                            : ADMISSION_HEAD_MAX),
	                     arena, ret_admission, workload, &ignored);
}

struct text
admission_find_uid(struct text prefix, struct arena *arena)
{
	struct admission admission = {0};
	struct workload ignored = {0};

	admission_read_head(prefix, arena, &admission, &ignored);
	return admission.uid;
}
