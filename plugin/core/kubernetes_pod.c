/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kubernetes_pod.c - what each container of a pod would run under.
 *
 * Two readings are judged, and a container is what either of them makes of it:
 *  - kubelets and API servers from 1.27 on read the fields alone: the container's, else the
 *    pod's, else nothing is asked for;
 *  - kubelets up to 1.26 put the annotations between them: the container's field, its
 *    annotation, the pod's field, the pod's annotation (kuberuntime/helpers.go,
 *    getSeccompProfilePath).
 */
#include "core/kubernetes_pod.h"

#define POD_SETTING "the pod's securityContext.seccompProfile.type "
#define OWN_SETTING "securityContext.seccompProfile.type "

enum { NAME_SHOWN = 128 };

#define BAD (POSTURE_BIT(POSTURE_UNREADABLE) | POSTURE_BIT(POSTURE_UNCONFINED))

/* What one setting means. */
struct meaning {
	unsigned postures;
	struct text local;   /* "localhost/NAME" */
	struct text setting; /* for the message */
	struct err why;      /* of POSTURE_UNREADABLE */
};

static void
cannot_tell(struct meaning *meaning, const char *why)
{
	meaning->postures = POSTURE_BIT(POSTURE_UNREADABLE);
	(void)err_set(&meaning->why, ERR_TYPE, "%s", why);
}

/* A path that leads below the kubelet's folder (API validation: validateLocalDescendingPath)
   and that no pattern can mistake for another. */
static bool
descends(struct text path)
{
	if (path.at[0] == '/')
		return false;
	for (size_t i = 0; i + 2 <= path.len; i++) {
		if (memcmp(path.at + i, "..", 2) == 0 &&
		    (i == 0 || path.at[i - 1] == '/') &&
		    (i + 2 == path.len || path.at[i + 2] == '/'))
			return false;
	}
	return true;
}

/* `profile` is the name behind "localhost/". */
static void
mean_local(struct text profile, struct arena *arena, struct meaning *meaning)
{
	static const char prefix[] = "localhost/";
	size_t stem = sizeof prefix - 1;
	char *name;

	if (profile.len == 0) {
		cannot_tell(meaning, "seccompProfile is Localhost without a "
		                     "localhostProfile");
		return;
	}
	if (!descends(profile)) {
		cannot_tell(meaning, "a localhost profile outside the kubelet's folder");
		return;
	}
	name = arena_alloc(arena, stem + profile.len);
	if (!name) {
		meaning->postures = POSTURE_BIT(POSTURE_UNREADABLE);
		(void)err_set(&meaning->why, ERR_MEMORY, "out of memory");
		return;
	}
	memcpy(name, prefix, stem);
	memcpy(name + stem, profile.at, profile.len);
	meaning->postures = POSTURE_BIT(POSTURE_LOCALHOST);
	meaning->local = (struct text){.at = name, .len = stem + profile.len};
	meaning->setting = meaning->local;
}

/* Types in their one spelling (k8s.io/api core/v1 types.go, SeccompProfileType). */
static struct meaning
mean_field(const struct pod_seccomp *seccomp, bool of_pod, struct arena *arena)
{
	struct meaning meaning = {0};

	if (!seccomp->given) {
		meaning.postures = POSTURE_BIT(POSTURE_UNSET);
	} else if (text_is(seccomp->type, "RuntimeDefault")) {
		meaning.postures = POSTURE_BIT(POSTURE_DEFAULT);
	} else if (text_is(seccomp->type, "Unconfined")) {
		meaning.postures = POSTURE_BIT(POSTURE_UNCONFINED);
		meaning.setting = of_pod ? TEXT_LIT(POD_SETTING "Unconfined")
		                         : TEXT_LIT(OWN_SETTING "Unconfined");
	} else if (text_is(seccomp->type, "Localhost")) {
		mean_local(seccomp->local, arena, &meaning);
	} else {
		cannot_tell(&meaning, "seccompProfile.type is none of RuntimeDefault, "
		                      "Localhost, Unconfined");
	}
	return meaning;
}

/* k8s.io/api core/v1 annotation_key_constants.go; an empty one is none to a runtime. */
static struct meaning
mean_annotation(struct text value, bool of_pod, struct arena *arena)
{
	struct meaning meaning = {0};

	if (text_is(value, "runtime/default") || text_is(value, "docker/default")) {
		meaning.postures = POSTURE_BIT(POSTURE_DEFAULT);
	} else if (text_is(value, "unconfined") || value.len == 0) {
		meaning.postures = POSTURE_BIT(POSTURE_UNCONFINED);
		meaning.setting =
		    of_pod ? TEXT_LIT("the annotation "
		                      "seccomp.security.alpha.kubernetes.io/pod")
			   : TEXT_LIT("its annotation "
		                      "container.seccomp.security.alpha.kubernetes.io");
	} else if (text_has_prefix(value, "localhost/")) {
		mean_local(text_from(value, strlen("localhost/")), arena, &meaning);
	} else {
		cannot_tell(&meaning, "a seccomp annotation that names no profile");
	}
	return meaning;
}

/* ---- a container ---- */

/* What the pod says for all of its containers, and who has taken it over. */
struct common {
	const struct pod *pod;
	struct meaning field, annotation; /* .postures 0: no annotation */
	bool field_used, annotation_used;
};

static const struct text *
annotation_of(const struct pod *pod, struct text name)
{
	for (size_t i = 0; i < pod->annotations.count; i++) {
		if (text_equal(pod->annotations.at[i].key, name))
			return &pod->annotations.at[i].value;
	}
	return NULL;
}

/* Adds to a container what one reading makes of it. */
static void
add_meaning(struct workload *workload, struct container *container,
            const struct meaning *meaning)
{
	struct err why = meaning->why;

	container->postures |= meaning->postures;
	if (meaning->postures & POSTURE_BIT(POSTURE_UNREADABLE)) {
		(void)err_wrap(&why, "container \"%.*s\"",
		               container->name.len < NAME_SHOWN ? (int)container->name.len
		                                                : NAME_SHOWN,
		               container->name.at ? container->name.at : "");
		workload_set_unreadable(workload, container, &why);
	}
	if (meaning->setting.at && !container->setting.at)
		container->setting = meaning->setting;
	if (!(meaning->postures & POSTURE_BIT(POSTURE_LOCALHOST)))
		return;
	/* two readings, two profiles: no name fits both */
	if (!container->local_profile.at)
		container->local_profile = meaning->local;
	else if (!text_equal(container->local_profile, meaning->local))
		container->local_profile = TEXT_LIT("");
}

static void
judge_seccomp(struct common *common, const struct pod_container *from,
              struct arena *arena, struct workload *workload, struct container *container)
{
	const struct text *annotation = annotation_of(common->pod, from->name);
	struct meaning meaning;

	if (from->seccomp.given) {
		meaning = mean_field(&from->seccomp, false, arena);
		add_meaning(workload, container, &meaning);
		return;
	}
	add_meaning(workload, container, &common->field);
	common->field_used = true;
	if (annotation) {
		meaning = mean_annotation(*annotation, false, arena);
		add_meaning(workload, container, &meaning);
	} else if (!common->pod->seccomp.given && common->annotation.postures) {
		add_meaning(workload, container, &common->annotation);
		common->annotation_used = true;
	} else {
		return;
	}
	if (container->postures & POSTURE_BIT(POSTURE_UNSET) &&
	    !(container->postures & BAD))
		container->setting =
		    TEXT_LIT("its annotation counts for nothing from Kubernetes 1.27 on");
}

/*
 * What else is said of it. A privileged container has no filter whatever it asks for, so
 * that it asks for nothing makes it no worse. Windows has no seccomp, and only that a pod
 * says so (PSA restricted from 1.25 on; kubelets refuse one of another system).
 */
static void
judge_rest(const struct common *common, const struct pod_container *from,
           struct container *container)
{
	const struct pod *pod = common->pod;
	unsigned unset = POSTURE_BIT(POSTURE_UNSET);

	if (from->privileged)
		container->postures &= ~unset;
	else if (text_is(pod->os, "windows") && (container->postures & unset))
		container->postures =
		    (container->postures & ~unset) | POSTURE_BIT(POSTURE_DEFAULT);
	if (from->privileged)
		container->postures |= POSTURE_BIT(POSTURE_PRIVILEGED);
	if (pod->filter_annotation.at) {
		container->postures |= POSTURE_BIT(POSTURE_UNCONFINED);
		container->setting = pod->filter_annotation;
	}
}

static int
judge_container(struct common *common, const struct pod_container *from,
                struct arena *arena, struct workload *workload, struct err *err)
{
	const struct pod *pod = common->pod;
	struct container *container = workload_add(workload, arena);

	if (!container)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (from->name.len > 0)
		container->name = from->name;
	container->image = image_ref_parse(from->image, arena);
	container->labels = pod->labels;
	if (pod->runtime_class.len > 0)
		container->runtime = pod->runtime_class;
	judge_seccomp(common, from, arena, workload, container);
	judge_rest(common, from, container);
	return 0;
}

/*
 * What the pod says and no container takes over waits for the next debug container, which
 * inherits it: PSA refuses such a pod, and so do we.
 */
static void
judge_unused(const struct common *common, struct workload *workload, size_t first)
{
	const struct pod *pod = common->pod;
	bool field =
	    pod->seccomp.given && !common->field_used && (common->field.postures & BAD);
	bool annotation = !pod->seccomp.given && !common->annotation_used &&
	                  (common->annotation.postures & BAD);

	for (size_t i = 0; i < pod->count; i++) {
		struct container *container = &workload->containers[first + i];

		if (field)
			add_meaning(workload, container, &common->field);
		if (annotation && !pod->containers[i].seccomp.given)
			add_meaning(workload, container, &common->annotation);
	}
}

int
pod_judge(const struct pod *pod, struct arena *arena, struct workload *workload,
          struct err *err)
{
	struct common common = {.pod = pod};
	size_t first = workload->count;

	if (!pod->given || !pod->spec_given)
		return err_set(err, ERR_TYPE,
		               "there is no pod's spec where it should be");
	if (pod->count == 0)
		return err_set(err, ERR_TYPE, "a pod without containers");
	common.field = mean_field(&pod->seccomp, true, arena);
	if (pod->annotation.at)
		common.annotation = mean_annotation(pod->annotation, true, arena);
	for (size_t i = 0; i < pod->count; i++) {
		if (judge_container(&common, &pod->containers[i], arena, workload, err) !=
		    0)
			return -1;
	}
	judge_unused(&common, workload, first);
	return 0;
}
