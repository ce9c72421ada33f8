/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_digest.c - one name for all spellings of a seccomp profile.
 *
 * The canonical form is a prefix code, so that no two profiles share one:
 *
 *   text     LENGTH ":" BYTES        length in decimal; a missing text is an empty one,
 *                                    as it is for Go
 *   number   "#" DECIMAL ";"         "-" where none is given and that makes a difference
 *   list     "[" COUNT ";" ITEM...
 *
 *   profile  "seccomp-profile 1" NEWLINE
 *            defaultAction, defaultErrnoRet (number or "-"), architectures (list of text),
 *            archMap (list of: architecture, list of subArchitectures), flags (list of
 *            text), listenerPath, listenerMetadata, syscalls (list of rule)
 *   rule     names (list of text in byte order; "name" is a list of one), action, errnoRet
 *            (number or "-"), args (list of: index, value, valueTwo, op), includes,
 *            excludes (filters)
 *   filter   caps (list of text), arches (list of text), minKernel ("-", or two numbers)
 *
 * Comments and unknown keys are left out, null is as good as absent. The order of rules
 * stays: where two rules name one call, libseccomp lets the order decide.
 */
#include "core/seccomp.h"

#include "core/seccomp_spec.h"

#include <nettle/sha2.h>
#include <stdio.h>

static void
put(struct sha256_ctx *sha, const void *bytes, size_t len)
{
	sha256_update(sha, len, bytes);
}

static void
put_text(struct sha256_ctx *sha, struct text t)
{
	char head[32];
	int len = snprintf(head, sizeof head, "%zu:", t.len);

	put(sha, head, (size_t)len);
	if (t.len > 0)
		put(sha, t.at, t.len);
}

static void
put_number(struct sha256_ctx *sha, uint64_t number)
{
	char text[32];
	int len = snprintf(text, sizeof text, "#%llu;", (unsigned long long)number);

	put(sha, text, (size_t)len);
}

static void
put_errno(struct sha256_ctx *sha, struct seccomp_errno number)
{
	if (number.given)
		put_number(sha, number.value);
	else
		put(sha, "-", 1);
}

static void
put_count(struct sha256_ctx *sha, size_t count)
{
	char text[32];
	int len = snprintf(text, sizeof text, "[%zu;", count);

	put(sha, text, (size_t)len);
}

static void
put_list(struct sha256_ctx *sha, struct text_list list)
{
	put_count(sha, list.count);
	for (size_t i = 0; i < list.count; i++)
		put_text(sha, list.at[i]);
}

static void
put_filter(struct sha256_ctx *sha, const struct seccomp_filter *filter)
{
	put_list(sha, filter->caps);
	put_list(sha, filter->arches);
	if (!filter->has_kernel) {
		put(sha, "-", 1);
		return;
	}
	put_number(sha, filter->kernel);
	put_number(sha, filter->major);
}

static int
text_order(struct text a, struct text b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common > 0 ? memcmp(a.at, b.at, common) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Lets the text at `root` of a heap of `count` sink to where it belongs. */
static void
sink(struct text *heap, size_t root, size_t count)
{
	for (;;) {
		size_t child = 2 * root + 1;
		struct text moving = heap[root];

		if (child >= count)
			return;
		if (child + 1 < count && text_order(heap[child], heap[child + 1]) < 0)
			child++;
		if (text_order(moving, heap[child]) >= 0)
			return;
		heap[root] = heap[child];
		heap[child] = moving;
		root = child;
	}
}

/* Heapsort: in place, without recursion, and as fast for a hostile list as for any. */
static void
sort_texts(struct text_list list)
{
	for (size_t i = list.count / 2; i > 0; i--)
		sink(list.at, i - 1, list.count);
	for (size_t last = list.count; last > 1; last--) {
		struct text largest = list.at[0];

		list.at[0] = list.at[last - 1];
		list.at[last - 1] = largest;
		sink(list.at, 0, last - 1);
	}
}

static void
put_rule(struct sha256_ctx *sha, const struct seccomp_rule *rule)
{
	sort_texts(rule->names); /* the spec is ours, so its list may be put in order */
	put_list(sha, rule->names);
	put_text(sha, rule->action.name);
	put_errno(sha, rule->errno_ret);
	put_count(sha, rule->args.count);
	for (size_t i = 0; i < rule->args.count; i++) {
		const struct seccomp_arg *arg = &rule->args.at[i];

		put_number(sha, arg->index);
		put_number(sha, arg->value);
		put_number(sha, arg->value_two);
		put_text(sha, arg->op);
	}
	put_filter(sha, &rule->includes);
	put_filter(sha, &rule->excludes);
}

static void
put_spec(struct sha256_ctx *sha, const struct seccomp_spec *spec)
{
	static const char head[] = "seccomp-profile 1\n";

	put(sha, head, sizeof head - 1);
	put_text(sha, spec->default_action.name);
	put_errno(sha, spec->default_errno);
	put_list(sha, spec->architectures);
	put_count(sha, spec->arch_map.count);
	for (const struct seccomp_arch *arch = spec->arch_map.first; arch;
	     arch = arch->next) {
		put_text(sha, arch->name);
		put_list(sha, arch->subs);
	}
	put_list(sha, spec->flags);
	put_text(sha, spec->listener_path);
	put_text(sha, spec->listener_metadata);
	put_count(sha, spec->rules.count);
	for (const struct seccomp_rule *rule = spec->rules.first; rule; rule = rule->next)
		put_rule(sha, rule);
}

int
seccomp_profile_digest(struct text json, struct arena *arena, char *out, struct err *err)
{
	static const char hex[] = "0123456789abcdef", prefix[] = "sha256:";
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct seccomp_spec spec;
	struct sha256_ctx sha;

	if (seccomp_spec_read(json, arena, &spec, err) != 0)
		return -1;
	sha256_init(&sha);
	put_spec(&sha, &spec);
	sha256_digest(&sha, sizeof digest, digest);
	memcpy(out, prefix, sizeof prefix - 1);
	out += sizeof prefix - 1;
	for (size_t i = 0; i < sizeof digest; i++) {
		*out++ = hex[digest[i] >> 4];
		*out++ = hex[digest[i] & 15];
	}
	*out = '\0';
	return 0;
}

bool
seccomp_name_profile(struct container *container, struct arena *arena)
{
	if (container->digest[0] != '\0')
		return true;
	if (container->profile.at && seccomp_profile_digest(container->profile, arena,
	                                                    container->digest, NULL) == 0)
		return true;
	container->digest[0] = '\0';
	return false;
}
