/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kubernetes_accounts - accounts that create pods on everybody's behalf.
 *
 * Whoever may create a Deployment has its pods created by a controller of
 * kube-controller-manager, so an exception that fits a controller's account fits
 * everybody's pods. Invariant: nothing but the criteria decides. Pure.
 */
#pragma once

#include "core/policy.h"
#include "core/text.h"

/*
 * The first such account that the `user` and `group` of `criteria` except, or a missing
 * text: they name neither, or only others; the criteria hold for another door only; or a
 * `namespace` keeps them to namespaces, in which they say no more than that does. The
 * other criteria (image, name, label, runtime, profile) don't count: they narrow what is
 * excepted, not who is. Static storage.
 */
struct text criteria_controller(const struct criteria *criteria);
