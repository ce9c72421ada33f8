/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_audit_page - the parts of the HTML report that never change.
 *
 * Invariant: they fetch nothing, and the page can be read whole without the script.
 */
#pragma once

extern const char audit_page_style[];  /* the rest of <head>, and <body> */
extern const char audit_page_filter[]; /* a form, hidden until the script runs */
extern const char audit_page_script[]; /* sorts and filters the table of findings */
