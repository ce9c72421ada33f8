/* SPDX-License-Identifier: Apache-2.0 */
/* test_arena.c - memory stays in place, is bounded, and goes back. */
#include "core/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
every_size_is_aligned_for_any_type(void **state)
{
	cleanup_arena struct arena arena = {0};

	(void)state;
	for (size_t size = 0; size < 100; size++) {
		char *at = arena_alloc(&arena, size);

		assert_non_null(at);
		assert_int_equal((uintptr_t)at % _Alignof(max_align_t), 0);
		memset(at, 0xa5, size);
	}
}

static void
allocations_do_not_overlap_and_stay_in_place(void **state)
{
	cleanup_arena struct arena arena = {0};
	unsigned char *blocks[400];

	(void)state;
	for (size_t i = 0; i < COUNT(blocks); i++) {
		blocks[i] = arena_alloc(&arena, i * 7);
		assert_non_null(blocks[i]);
		memset(blocks[i], (int)(i & 0xff), i * 7);
	}
	for (size_t i = 0; i < COUNT(blocks); i++) {
		for (size_t j = 0; j < i * 7; j++)
			assert_int_equal(blocks[i][j], i & 0xff);
	}
}

static void
it_takes_no_more_than_its_limit(void **state)
{
	cleanup_arena struct arena arena = {.limit = 2 * ARENA_BLOCK};
	size_t count = 0;

	(void)state;
	while (arena_alloc(&arena, ARENA_BLOCK / 4))
		count++;
	assert_int_equal(count, 8);
	assert_true(arena.total <= arena.limit);
}

static void
a_limit_below_a_block_gives_nothing(void **state)
{
	cleanup_arena struct arena arena = {.limit = ARENA_BLOCK - 1};

	(void)state;
	assert_null(arena_alloc(&arena, 1));
	assert_null(arena_array(&arena, 1, 1));
	assert_null(arena_text(&arena, TEXT_LIT("x")).at);
}

static void
no_limit_means_the_default_limit(void **state)
{
	cleanup_arena struct arena arena = {0};

	(void)state;
	assert_null(arena_alloc(&arena, ARENA_LIMIT + 1));
	assert_non_null(arena_alloc(&arena, ARENA_LIMIT));
	assert_null(arena_alloc(&arena, 1));
}

static void
sizes_that_overflow_give_nothing(void **state)
{
	cleanup_arena struct arena arena = {.limit = SIZE_MAX};

	(void)state;
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX / 2 + 1));
	assert_null(arena_array(&arena, SIZE_MAX / 2, 3));
	assert_null(arena_array(&arena, 3, SIZE_MAX / 2));
	assert_non_null(arena_array(&arena, 0, 8));
	assert_non_null(arena_array(&arena, 8, 0));
}

static void
a_reset_keeps_one_block_and_no_more(void **state)
{
	cleanup_arena struct arena arena = {0};

	(void)state;
	assert_non_null(arena_alloc(&arena, 1));
	assert_non_null(arena_alloc(&arena, 10 * ARENA_BLOCK));
	assert_non_null(arena_alloc(&arena, ARENA_BLOCK));
	arena_reset(&arena);
	assert_int_equal(arena.total, ARENA_BLOCK);
	assert_non_null(arena_alloc(&arena, 1));
	assert_int_equal(arena.total, ARENA_BLOCK);
	arena_free(&arena);
	assert_int_equal(arena.total, 0);
	assert_non_null(arena_alloc(&arena, 1));
}

static void
a_reset_of_large_blocks_alone_keeps_none(void **state)
{
	cleanup_arena struct arena arena = {0};

	(void)state;
	assert_non_null(arena_alloc(&arena, ARENA_BLOCK + 1));
	arena_reset(&arena);
	assert_int_equal(arena.total, 0);
	assert_null(arena.block);
	arena_reset(&arena);
	arena_free(NULL);
}

static void
an_array_is_zeroed_also_after_a_reset(void **state)
{
	cleanup_arena struct arena arena = {0};
	unsigned char *dirty = arena_alloc(&arena, 1000), *array;

	(void)state;
	memset(dirty, 0xff, 1000);
	arena_reset(&arena);
	array = arena_array(&arena, 250, 4);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(array[i], 0);
}

static void
a_text_is_copied_with_a_nul_behind(void **state)
{
	cleanup_arena struct arena arena = {0};
	char original[] = "ab\0c";
	struct text copy = arena_text(&arena, (struct text){original, 4});

	(void)state;
	memset(original, 'x', 4);
	assert_int_equal(copy.len, 4);
	assert_memory_equal(copy.at, "ab\0c", 5);
	copy = arena_text(&arena, (struct text){0});
	assert_non_null(copy.at);
	assert_int_equal(copy.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_size_is_aligned_for_any_type),
	    cmocka_unit_test(allocations_do_not_overlap_and_stay_in_place),
	    cmocka_unit_test(it_takes_no_more_than_its_limit),
	    cmocka_unit_test(a_limit_below_a_block_gives_nothing),
	    cmocka_unit_test(no_limit_means_the_default_limit),
	    cmocka_unit_test(sizes_that_overflow_give_nothing),
	    cmocka_unit_test(a_reset_keeps_one_block_and_no_more),
	    cmocka_unit_test(a_reset_of_large_blocks_alone_keeps_none),
	    cmocka_unit_test(an_array_is_zeroed_also_after_a_reset),
	    cmocka_unit_test(a_text_is_copied_with_a_nul_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
