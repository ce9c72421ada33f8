# SPDX-License-Identifier: Apache-2.0
"""reasons.py - why a decision of ours differs from another project's, and PSA's rules."""
import copy
import json

POD = 'seccomp.security.alpha.kubernetes.io/pod'
CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/'
LISTS = ('initContainers', 'containers', 'ephemeralContainers')
IDLE = ('exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status')


def template(obj):
    """The part of an object that has the pod's metadata and spec; None: there is none."""
    kind, spec = obj.get('kind'), obj.get('spec') or {}
    if kind == 'Pod':
        return obj
    if kind == 'PodTemplate':
        return obj.get('template')
    if kind == 'CronJob':
        return ((spec.get('jobTemplate') or {}).get('spec') or {}).get('template')
    if kind in ('ReplicationController', 'ReplicaSet', 'Deployment', 'StatefulSet',
                'DaemonSet', 'Job'):
        return spec.get('template')
    return None


def containers(pod):
    spec = pod.get('spec') or {}
    return [container for name in LISTS for container in spec.get(name) or []]


def profile(holder):
    return (holder.get('securityContext') or {}).get('seccompProfile')


def by_psa_rules(review, asks):
    """PSA >= 1.19, seccomp and privileged checks (policy/check_*.go), on every object."""
    request = review['request']
    pod = template(request.get('object') or {})
    if request['operation'] in ('DELETE', 'CONNECT') or not pod or \
            request.get('subResource') in IDLE:
        return 'allow'
    of_pod, good = profile(pod.get('spec') or {}), ('RuntimeDefault', 'Localhost')
    if of_pod is not None and of_pod.get('type') not in good:
        return 'deny'
    for container in containers(pod):
        own = profile(container)
        if (container.get('securityContext') or {}).get('privileged'):
            return 'deny'
        if own is not None and own.get('type') not in good:
            return 'deny'
        if own is None and of_pod is None and asks and \
                ((pod['spec'].get('os') or {}).get('name') != 'windows'):
            return 'deny'
    return 'allow'


def annotations_to_fields(review):
    """What API servers 1.19 to 1.26 do to a pod before they ask a webhook: a field that is
    not set is set to what the annotation says (pkg/registry/core/pod/strategy.go)."""
    review = copy.deepcopy(review)
    pod = template(review['request'].get('object') or {})
    notes = (pod or {}).get('metadata', {}).get('annotations') or {}

    def set_field(holder, value):
        if value is None or profile(holder) is not None:
            return
        if value in ('runtime/default', 'docker/default'):
            field = {'type': 'RuntimeDefault'}
        elif value.startswith('localhost/'):
            field = {'type': 'Localhost', 'localhostProfile': value[len('localhost/'):]}
        else:
            field = {'type': 'Unconfined'}
        holder['securityContext'] = dict(holder.get('securityContext') or {},
                                         seccompProfile=field)

    for container in containers(pod or {}):
        set_field(container, notes.get(CONTAINER + container['name']))
    if pod:
        set_field(pod['spec'], notes.get(POD))
        for key in [key for key in notes if key == POD or key.startswith(CONTAINER)]:
            del notes[key]
    return review


def of(case, answer, judge):
    """The reason of a difference, or None. Each is looked for in the object, and where it
    says what would be decided otherwise, that is tried."""
    with open(case.path, encoding='utf-8') as f:
        review = json.load(f)
    request = review['request']
    pod = template(request.get('object') or {}) or {}
    notes = (pod.get('metadata') or {}).get('annotations') or {}
    annotated = POD in notes or any(key.startswith(CONTAINER) for key in notes)
    parameters = json.loads(case.note) if case.suite.startswith('gatekeeper') else {}

    if annotated and case.want == 'allow':
        if judge.decide_review(annotations_to_fields(review)).decision == 'allow':
            return ('set by annotation only, which nothing obeys from Kubernetes 1.27 on: there '
                    'the container runs without a profile. Allowed once the annotation stands '
                    'in the field, as API servers 1.19 to 1.26 put it before they ask a webhook')
        if profile(pod.get('spec') or {}) and any(
                notes.get(CONTAINER + c['name']) == 'unconfined' and not profile(c)
                for c in containers(pod)):
            return ('the annotation "unconfined" of a container beats the field of its pod on '
                    'kubelets up to 1.26; Gatekeeper takes them in the other order')
    if case.suite == 'gatekeeper privileged-containers' and case.want == 'allow' and \
            request['operation'] == 'UPDATE':
        return 'Gatekeeper looks at no update, so at no privileged debug container either'
    if '*' in parameters.get('allowedLocalhostFiles', []) and case.want == 'allow' and \
            'Localhost' not in parameters.get('allowedProfiles', []):
        return ('Gatekeeper\'s Rego engine takes "*" in allowedLocalhostFiles for Localhost in '
                'allowedProfiles; its CEL engine does not')
    of_pod = profile(pod.get('spec') or {})
    if case.suite.startswith('gatekeeper') and case.want == 'allow' and of_pod and \
            of_pod.get('type') not in ('RuntimeDefault', 'Localhost') and \
            all(profile(c) for c in containers(pod)):
        return ('the pod says Unconfined, and though each container says otherwise, the next '
                'debug container would inherit it: PSA refuses it as well, Gatekeeper does not')
    return None
