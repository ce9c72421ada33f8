/* SPDX-License-Identifier: Apache-2.0 */
/* check_yaml.c - the documents of a file that is YAML or JSON, one after the other. */
#include "cmd_check.h"

int
check_each_yaml(struct check *check, const struct check_document *file,
                enum yaml_dialect dialect,
                int (*each)(struct check *check, const struct check_document *document))
{
	struct yaml_reader *reader;
	struct yaml_document yaml = {.marks = NULL};
	struct yaml_place place = {0};
	struct err err = {0};
	int worst = EXIT_CLEAN, more, found;
	size_t count = 0;

	if (check_is_json(file->text)) /* then its own bytes say where things stand */
		return each(check, file);
	if (file->text.len > YAML_INPUT_MAX) {
		(void)err_set(&err, ERR_LIMIT, "larger than %d bytes", YAML_INPUT_MAX);
		return check_report_unread(check, file, place, &err);
	}
	reader = yaml_open(file->text, dialect);
	if (!reader)
		return check_complain(check, file->path, "out of memory");
	while ((more = yaml_next(reader, &yaml, &place, &err)) > 0) {
		struct check_document document = {.path = file->path,
		                                  .text = buf_text(&yaml.json),
		                                  .yaml = &yaml,
		                                  .file = file->file};

		if (text_is(document.text, "null")) /* nothing between two --- */
			continue;
		found = each(check, &document);
		worst = found > worst ? found : worst;
		count++;
	}
	if (more == 0 && count == 0)
		(void)err_set(&err, ERR_TYPE, "there is nothing in it");
	if (err.code != ERR_NONE) {
		found = check_report_unread(check, file, place, &err);
		worst = found > worst ? found : worst;
	}
	yaml_document_free(&yaml);
	yaml_close(reader);
	return worst;
}
