#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""schema.py OPENAPI > schema.json - the part of Kubernetes' API that the manifests use, as JSON
Schema: definitions reached from KINDS, without descriptions, and strict: what the API does not
know is an error, as `kubectl apply --validate=strict` has it. OPENAPI is what build.sh leaves in
its folder (api/openapi-spec/swagger.json of Kubernetes, Apache-2.0)."""

import json
import sys

CORE, META = "io.k8s.api.core.v1.", "io.k8s.apimachinery.pkg."
KINDS = {
    "v1/Namespace": CORE + "Namespace",
    "v1/ServiceAccount": CORE + "ServiceAccount",
    "v1/ConfigMap": CORE + "ConfigMap",
    "v1/Secret": CORE + "Secret",
    "v1/Service": CORE + "Service",
    "apps/v1/Deployment": "io.k8s.api.apps.v1.Deployment",
    "networking.k8s.io/v1/NetworkPolicy": "io.k8s.api.networking.v1.NetworkPolicy",
    # v1 came with 1.21 and has the same fields
    "policy/v1/PodDisruptionBudget": "io.k8s.api.policy.v1beta1.PodDisruptionBudget",
    "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration":
        "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration",
}
KEPT = {"type", "format", "properties", "items", "required", "additionalProperties", "$ref"}


def strip(thing):
    if isinstance(thing, list):
        return [strip(item) for item in thing]
    if not isinstance(thing, dict):
        return thing
    kept = {}
    for key, value in thing.items():
        if key == "properties":
            kept[key] = {name: strip(field) for name, field in value.items()}
        elif key in KEPT:
            kept[key] = strip(value)
    if "properties" in kept:
        kept.setdefault("additionalProperties", False)
    return kept


def references(thing):
    if isinstance(thing, dict):
        if isinstance(thing.get("$ref"), str):
            yield thing["$ref"].removeprefix("#/definitions/")
        for value in thing.values():
            yield from references(value)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        everything = json.load(file)["definitions"]
    wanted, found = list(KINDS.values()), {}
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        found[name] = strip(everything[name])
        wanted += references(found[name])
    number = META + "util.intstr.IntOrString"
    found[number] = {"type": ["string", "integer"]}
    json.dump({"$comment": "made by schema.py of Kubernetes 1.20.2's OpenAPI, Apache-2.0",
               "kinds": KINDS, "definitions": found}, sys.stdout, sort_keys=True, indent=0,
              separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
