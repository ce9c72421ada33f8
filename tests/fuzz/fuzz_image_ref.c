/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_image_ref.c - a normalised reference is its own normal form, and matches itself. */
#include "fuzz.h"

#include "core/glob.h"
#include "core/image_ref.h"

static void
check_name(const struct image_ref *ref)
{
	cleanup_arena struct arena arena = {0};
	struct image_ref again = image_ref_parse(ref->text, &arena);

	CHECK(ref->text.len >= ref->name.len &&
	      text_equal(text_first(ref->text, ref->name.len), ref->name));
	CHECK(!ref->tag.at != !ref->digest.at);
	CHECK(text_find(ref->name, '/') < ref->name.len);
	for (size_t i = 0; i < ref->text.len; i++)
		CHECK(ref->text.at[i] > 0x20 && ref->text.at[i] < 0x7f);
	/* a reference at the limit grows over it by what is filled in */
	if (ref->text.len > IMAGE_REF_MAX)
		return;
	CHECK(again.kind == IMAGE_REF_NAME);
	CHECK(text_equal(again.text, ref->text) && text_equal(again.name, ref->name));
	CHECK(text_equal(again.tag, ref->tag) && text_equal(again.digest, ref->digest));
	CHECK(ref->text.at[0] == '[' || image_ref_matches(ref, ref->text));
	CHECK(ref->text.at[0] == '[' || image_ref_matches(ref, ref->name));
}

/* REFERENCE newline PATTERN */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text input = fuzz_text(data, size), pattern = {0};
	size_t line = text_find(input, '\n');
	cleanup_arena struct arena arena = {0}, none = {.limit = 1};
	struct image_ref ref;
	bool matches;

	if (line < input.len) {
		pattern = text_from(input, line + 1);
		input = text_first(input, line);
	}
	ref = image_ref_parse(input, &arena);
	CHECK((ref.kind == IMAGE_REF_NONE) == (input.len == 0));
	if (ref.kind == IMAGE_REF_NAME)
		check_name(&ref);
	else
		CHECK(text_equal(ref.text, input));
	matches = image_ref_matches(&ref, pattern);
	CHECK(!matches || ref.kind == IMAGE_REF_NAME || text_equal(ref.text, pattern));
	(void)image_pattern_is_valid(pattern);
	ref = image_ref_parse(input, &none);
	CHECK(ref.kind != IMAGE_REF_NAME);
	(void)glob_is_valid(pattern);
	return 0;
}
