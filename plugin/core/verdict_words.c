/* SPDX-License-Identifier: Apache-2.0 */
/* verdict_words.c - what is wrong and what to do about it, in words, for each door. */
#include "core/verdict_words.h"

/* For refusals that are about the request as a whole. `what` is followed by the detail. */
static const struct sentence whole[REASON_COUNT] = {
    [REASON_EMPTY_ENVELOPE] =
	{"the engine asked without saying what for: the plugin restarted during the call",
         "Repeat the command."},
    [REASON_BAD_ENVELOPE] = {"the engine's question can't be read",
                             "Only dockerd may talk to this socket."},
    [REASON_TOO_LARGE] = {"the request is larger than an engine forwards to a plugin "
                          "(4 MiB)",
                          "Send a smaller request."},
    [REASON_BUSY] = {"too many large requests are being judged at once",
                     "Repeat the command in a moment."},
    [REASON_NO_MEMORY] = {"there is no memory left to judge the request",
                          "Repeat the command in a moment."},
    [REASON_POLICY_BROKEN] = {"policy broken",
                              "Repair the policy file and reload it (SIGHUP)."},
    [REASON_BAD_TARGET] = {"it can't be told which call this is",
                           "Send a plain request path."},
    [REASON_NO_BODY] = {"the engine passed on no request body, so what would run can't "
                        "be seen",
                        "Send the body as application/json with a Content-Length below 1 "
                        "MiB, or update the engine."},
    [REASON_UNREADABLE] = {"what would run can't be known for certain",
                           "Send plain JSON that says each thing once, as the docker "
                           "command does."},
    [REASON_STRANGER] = {"the caller has no certificate of those that may call this "
                         "webhook",
                         "Give the API server one (kubeConfigFile of its "
                         "AdmissionConfiguration), or drop --tls-client-ca."},
    [REASON_UNDECIDED] = {"the request was not judged", "Report this as a bug."},
};

static const struct sentence by_posture[POSTURE_COUNT] = {
    [POSTURE_PRIVILEGED] = {"would run privileged, so without a seccomp filter",
                            "Drop --privileged and add the single capabilities it needs"},
    [POSTURE_UNCONFINED] = {"would run without a seccomp filter",
                            "Drop the option, use a custom profile"},
    [POSTURE_PERMISSIVE] = {"would run under a seccomp profile that blocks nothing",
                            "Drop the profile, use one that blocks"},
    [POSTURE_WEAK] = {"would run under a seccomp profile that lets through calls which "
                      "Docker's default blocks",
                      "Drop the profile, use a stricter one"},
    [POSTURE_UNSET] = {"asks for no seccomp profile",
                       "Set securityContext.seccompProfile.type to RuntimeDefault"},
    [POSTURE_LOCALHOST] = {"would run under a profile of the node", "Use RuntimeDefault"},
    [POSTURE_CUSTOM] = {"would run under a seccomp profile of its own",
                        "Drop the profile to run under the engine's default"},
    [POSTURE_DEFAULT] = {"would run under the engine's default seccomp profile",
                         "Use a profile that the policy allows"},
};

static const struct sentence by_guard[GUARD_COUNT] = {
    [GUARD_SELF] = {"would change or shadow the plugin that guards this engine",
                    "Change it through the engine's configuration"},
    [GUARD_PLUGINS] = {"managed plugins run without a seccomp filter",
                       "Install it before the engine is guarded"},
    [GUARD_LEGACY_START] = {"a start with a HostConfig would replace the settings that "
                            "were judged at create",
                            "Start it without a body"},
    [GUARD_RUNTIMES] = {"would run under a runtime that the policy does not list",
                        "Drop --runtime"},
    [GUARD_CHECKPOINT] = {"a start from a checkpoint takes its filter from the "
                          "checkpoint's image, which can't be seen",
                          "Start it without --checkpoint"},
    [GUARD_BUILDS] = {"what runs inside a build can't be seen", "Build elsewhere"},
    [GUARD_ROLLBACK] = {"the spec that a rollback restores can't be seen",
                        "Update the service to the earlier spec instead"},
    [GUARD_SWARM_MEMBERSHIP] = {"tasks that another manager sends to this node pass no "
                                "plugin, so who may send them is guarded",
                                "Do it before the engine is guarded"},
};

/* ---- where Kubernetes needs other words ---- */

static const struct sentence whole_kubernetes[REASON_COUNT] = {
    [REASON_EMPTY_ENVELOPE] = {"the API server asked without saying what for",
                               "Repeat the command."},
    [REASON_BAD_ENVELOPE] = {"the review of this request can't be read",
                             "Only an API server may ask here."},
    [REASON_TOO_LARGE] = {"the review of this request is larger than is judged (40 MiB)",
                          "Make the object smaller."},
    [REASON_BUSY] = {"too many large requests are being judged at once",
                     "Repeat the command in a moment."},
    [REASON_UNREADABLE] = {"what would run can't be known for certain",
                           "Use the fields that the API documents, each once."},
};

#define SET_DEFAULT "Set securityContext.seccompProfile.type to RuntimeDefault"

static const struct sentence by_posture_kubernetes[POSTURE_COUNT] = {
    [POSTURE_PRIVILEGED] = {"would run privileged, so without a seccomp filter",
                            "Set securityContext.privileged to false and add the single "
                            "capabilities it needs"},
    [POSTURE_UNCONFINED] = {"would run without a seccomp filter", SET_DEFAULT},
    [POSTURE_UNSET] = {"asks for no seccomp profile", SET_DEFAULT},
    [POSTURE_LOCALHOST] = {"would run under a profile of the node", SET_DEFAULT},
    [POSTURE_DEFAULT] = {"would run under the runtime's default seccomp profile",
                         "Use a profile that the policy allows"},
};

static const struct sentence by_guard_kubernetes[GUARD_COUNT] = {
    [GUARD_RUNTIMES] = {"would run under a runtime class that the policy does not list",
                        "Drop runtimeClassName"},
};

static const struct sentence *
pick(const struct sentence *of_docker, const struct sentence *of_kubernetes,
     enum door door)
{
	return door == DOOR_KUBERNETES && of_kubernetes->what ? of_kubernetes : of_docker;
}

const struct sentence *
words_of_reason(enum reason reason, enum door door)
{
	if (reason >= REASON_COUNT || !whole[reason].what)
		reason = REASON_UNDECIDED;
	return pick(&whole[reason], &whole_kubernetes[reason], door);
}

const struct sentence *
words_of_posture(enum posture posture, enum door door)
{
	return pick(&by_posture[posture], &by_posture_kubernetes[posture], door);
}

const struct sentence *
words_of_guard(enum guard guard, enum door door)
{
	return pick(&by_guard[guard], &by_guard_kubernetes[guard], door);
}
