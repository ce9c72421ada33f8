/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_spec.c - decodes profile JSON as LoadProfile does, or refuses it. */
#include "core/seccomp_spec.h"

#include "core/json_go.h"
#include "core/seccomp.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What runc and crun know (runc libcontainer/seccomp/config.go, crun seccomp.c); any other
   name keeps a container from starting. */
static const struct {
	const char *name;
	enum seccomp_effect effect;
} actions[] = {
    {"SCMP_ACT_ALLOW", SECCOMP_LETS},         {"SCMP_ACT_ERRNO", SECCOMP_BLOCKS},
    {"SCMP_ACT_KILL", SECCOMP_BLOCKS},        {"SCMP_ACT_KILL_PROCESS", SECCOMP_BLOCKS},
    {"SCMP_ACT_KILL_THREAD", SECCOMP_BLOCKS}, {"SCMP_ACT_LOG", SECCOMP_LETS},
    {"SCMP_ACT_NOTIFY", SECCOMP_LETS},        {"SCMP_ACT_TRACE", SECCOMP_LETS},
    {"SCMP_ACT_TRAP", SECCOMP_BLOCKS},
};

static const char *const operators[] = {"SCMP_CMP_NE",       "SCMP_CMP_LT", "SCMP_CMP_LE",
                                        "SCMP_CMP_EQ",       "SCMP_CMP_GE", "SCMP_CMP_GT",
                                        "SCMP_CMP_MASKED_EQ"};

static int
read_action(struct json *json, void *ret_value)
{
	struct seccomp_action *action = ret_value;

	if (json_read_text(json, &action->name) != 0)
		return -1;
	if (action->name.len == 0)
		return 0;
	for (size_t i = 0; i < COUNT(actions); i++) {
		if (text_is(action->name, actions[i].name)) {
			action->effect = actions[i].effect;
			return 0;
		}
	}
	return json_fail(json, ERR_TYPE, "is no action that runtimes know");
}

static int
read_operator(struct json *json, void *ret_value)
{
	struct text *op = ret_value;

	if (json_read_text(json, op) != 0)
		return -1;
	for (size_t i = 0; i < COUNT(operators); i++) {
		if (text_is(*op, operators[i]))
			return 0;
	}
	return json_fail(json, ERR_TYPE, "is no operator that runtimes know");
}

/* Decimal digits alone, as strconv.ParseUint takes them. */
static int
parse_uint(struct text digits, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (digits.len == 0)
		return -1;
	for (size_t i = 0; i < digits.len; i++) {
		uint64_t digit = (uint64_t)(unsigned char)digits.at[i] - '0';

		if (digit > 9 || value > (max - digit) / 10)
			return -1;
		value = value * 10 + digit;
	}
	*ret_value = value;
	return 0;
}

/* A Go uint64; null leaves it alone. */
static int
read_uint(struct json *json, void *ret_value)
{
	struct text digits;

	if (json_read_null(json))
		return 0;
	if (json_read_raw(json, &digits) != 0)
		return -1;
	if (parse_uint(digits, UINT64_MAX, ret_value) != 0)
		return json_fail(json, ERR_TYPE, "should be a whole number of 64 bits");
	return 0;
}

static int
read_errno(struct json *json, void *ret_value)
{
	struct seccomp_errno *number = ret_value;

	number->given = json_peek(json) != JSON_NULL;
	return read_uint(json, &number->value);
}

/* KernelVersion.UnmarshalJSON: "4.8"; each half has 8 bits; "" counts as given. */
static int
read_kernel(struct json *json, void *ret_value)
{
	struct seccomp_filter *filter = ret_value;
	struct text version = {0};
	uint64_t kernel = 0, major = 0;
	size_t dot;

	if (json_read_null(json))
		return 0;
	if (json_read_text(json, &version) != 0)
		return -1;
	dot = text_find(version, '.');
	if (version.len > 0 &&
	    (dot == version.len ||
	     parse_uint(text_first(version, dot), UINT8_MAX, &kernel) != 0 ||
	     parse_uint(text_from(version, dot + 1), UINT8_MAX, &major) != 0 ||
	     (kernel == 0 && major == 0)))
		return json_fail(json, ERR_TYPE, "should be a kernel version like 4.8");
	filter->has_kernel = true;
	filter->kernel = (uint8_t)kernel;
	filter->major = (uint8_t)major;
	return 0;
}

static const struct json_field filter_fields[] = {
    {"caps", json_read_text_list, offsetof(struct seccomp_filter, caps)},
    {"arches", json_read_text_list, offsetof(struct seccomp_filter, arches)},
    {"minKernel", read_kernel, 0},
};

static int
read_filter(struct json *json, void *ret_value)
{
	if (json_read_null(json))
		return 0;
	return json_read_struct(json, filter_fields, COUNT(filter_fields), ret_value);
}

static const struct json_field arg_fields[] = {
    {"index", read_uint, offsetof(struct seccomp_arg, index)},
    {"value", read_uint, offsetof(struct seccomp_arg, value)},
    {"valueTwo", read_uint, offsetof(struct seccomp_arg, value_two)},
    {"op", read_operator, offsetof(struct seccomp_arg, op)},
};

/* One more zeroed condition; NULL after json_fail(). */
static struct seccomp_arg *
another_arg(struct json *json, struct seccomp_args *args)
{
	size_t count = args->count;
	struct seccomp_arg *wider;

	if (count >= SECCOMP_ARGS_MAX) {
		(void)json_fail(json, ERR_LIMIT, "more than %d conditions",
		                SECCOMP_ARGS_MAX);
		return NULL;
	}
	if ((count & (count - 1)) == 0) {
		wider = arena_array(json->arena, count ? count * 2 : 1, sizeof *wider);
		if (!wider) {
			(void)json_fail(json, ERR_MEMORY, "out of memory");
			return NULL;
		}
		if (count > 0)
			memcpy(wider, args->at, count * sizeof *wider);
		args->at = wider;
	}
	return &args->at[args->count++];
}

static int
add_arg(struct json *json, size_t index, void *context)
{
	struct seccomp_arg *arg = another_arg(json, context);

	(void)index;
	if (!arg)
		return -1;
	if (json_read_struct(json, arg_fields, COUNT(arg_fields), arg) != 0)
		return -1;
	if (!arg->op.at || arg->index > 5)
		return json_fail(json, ERR_TYPE,
		                 "a condition needs an op and an index up to 5");
	return 0;
}

static int
read_args(struct json *json, void *ret_value)
{
	return json_read_list(json, add_arg, ret_value);
}

static const struct json_field arch_fields[] = {
    {"architecture", json_read_text, offsetof(struct seccomp_arch, name)},
    {"subArchitectures", json_read_text_list, offsetof(struct seccomp_arch, subs)},
};

static int
add_arch(struct json *json, size_t index, void *context)
{
	struct seccomp_archs *archs = context;
	struct seccomp_arch *arch = arena_array(json->arena, 1, sizeof *arch);

	if (!arch)
		return json_fail(json, ERR_MEMORY, "out of memory");
	if (index == 0)
		archs->first = arch;
	else
		archs->last->next = arch;
	archs->last = arch;
	archs->count++;
	return json_read_struct(json, arch_fields, COUNT(arch_fields), arch);
}

static int
read_arch_map(struct json *json, void *ret_value)
{
	return json_read_list(json, add_arch, ret_value);
}

static const struct json_field rule_fields[] = {
    {"names", json_read_text_list, offsetof(struct seccomp_rule, names)},
    {"action", read_action, offsetof(struct seccomp_rule, action)},
    {"args", read_args, offsetof(struct seccomp_rule, args)},
    {"comment", json_read_text, offsetof(struct seccomp_rule, comment)},
    {"includes", read_filter, offsetof(struct seccomp_rule, includes)},
    {"excludes", read_filter, offsetof(struct seccomp_rule, excludes)},
    {"errnoRet", read_errno, offsetof(struct seccomp_rule, errno_ret)},
    {"name", json_read_text, offsetof(struct seccomp_rule, name)},
};

/*
 * The old form with one name becomes a list. A NUL would end the name for libseccomp
 * (libseccomp-golang, C.CString), though not for us: "mount\u0000x" opens mount.
 */
static int
finish_rule(struct json *json, struct seccomp_rule *rule)
{
	if (rule->action.effect == SECCOMP_NONE)
		return json_fail(json, ERR_TYPE, "a rule needs an action");
	if (rule->name.len > 0 && rule->names.count > 0)
		return json_fail(json, ERR_TYPE, "a rule has either name or names");
	if (rule->name.len > 0)
		rule->names = (struct text_list){.at = &rule->name, .count = 1};
	for (size_t i = 0; i < rule->names.count; i++) {
		struct text name = rule->names.at[i];

		if (json->nul && text_find(name, '\0') != name.len)
			return json_fail(json, ERR_TYPE, "a name holds a NUL byte");
		rule->weak |= seccomp_call_bit(name);
	}
	return 0;
}

static int
add_rule(struct json *json, size_t index, void *context)
{
	struct seccomp_rules *rules = context;
	struct seccomp_rule *rule;

	if (index >= SECCOMP_RULES_MAX)
		return json_fail(json, ERR_LIMIT, "more than %d rules",
		                 SECCOMP_RULES_MAX);
	rule = arena_array(json->arena, 1, sizeof *rule);
	if (!rule)
		return json_fail(json, ERR_MEMORY, "out of memory");
	if (index == 0)
		rules->first = rule;
	else
		rules->last->next = rule;
	rules->last = rule;
	rules->count++;
	if (json_read_struct(json, rule_fields, COUNT(rule_fields), rule) != 0 ||
	    finish_rule(json, rule) != 0)
		return err_wrap(json->err, "rule %zu", index + 1);
	return 0;
}

static int
read_rules(struct json *json, void *ret_value)
{
	return json_read_list(json, add_rule, ret_value);
}

static const struct json_field spec_fields[] = {
    {"defaultAction", read_action, offsetof(struct seccomp_spec, default_action)},
    {"defaultErrnoRet", read_errno, offsetof(struct seccomp_spec, default_errno)},
    {"architectures", json_read_text_list, offsetof(struct seccomp_spec, architectures)},
    {"archMap", read_arch_map, offsetof(struct seccomp_spec, arch_map)},
    {"flags", json_read_text_list, offsetof(struct seccomp_spec, flags)},
    {"listenerPath", json_read_text, offsetof(struct seccomp_spec, listener_path)},
    {"listenerMetadata", json_read_text,
     offsetof(struct seccomp_spec, listener_metadata)},
    {"syscalls", read_rules, offsetof(struct seccomp_spec, rules)},
};

int
seccomp_spec_read(struct text text, struct arena *arena, struct seccomp_spec *ret_spec,
                  struct err *err)
{
	struct json json = json_start(text, arena, err);
	struct seccomp_spec spec = {0};

	if (text.len > SECCOMP_PROFILE_MAX)
		return err_set(err, ERR_LIMIT, "the profile has more than %d bytes",
		               SECCOMP_PROFILE_MAX);
	if (!json_read_null(&json) &&
	    json_read_struct(&json, spec_fields, COUNT(spec_fields), &spec) != 0)
		return -1;
	if (json_finish(&json) != 0)
		return -1;
	if (spec.architectures.count > 0 && spec.arch_map.count > 0 &&
	    (spec.default_action.name.len > 0 || spec.rules.count > 0))
		return err_set(err, ERR_TYPE,
		               "a profile has either architectures or archMap");
	*ret_spec = spec;
	return 0;
}
