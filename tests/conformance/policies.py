# SPDX-License-Identifier: Apache-2.0
"""policies.py - what other projects' settings mean, as a policy of ours."""

EVERYTHING = ['privileged', 'unconfined', 'permissive', 'weak', 'unset', 'localhost', 'custom',
              'default']

# as Gatekeeper's K8sPSPSeccomp and K8sPSPSeccompV2 name them
PROFILES = {
    'RuntimeDefault': 'default', 'runtime/default': 'default', 'docker/default': 'default',
    'Unconfined': 'unconfined', 'unconfined': 'unconfined',
    'not configured': 'unset', 'localhost/*': 'localhost',
}


def policy(allow, exceptions=()):
    # these suites say nothing of runtime classes, so no guard is on
    return {'version': 1, 'allow': sorted(set(allow)), 'guard': [],
            'exceptions': list(exceptions)}


def psa(asks_for_a_profile):
    """baseline, or restricted: the latter refuses what asks for no profile."""
    return policy(['default', 'localhost', 'custom'] +
                  ([] if asks_for_a_profile else ['unset']))


def exception(name, allow, **match):
    return {'id': name, 'allow': allow, 'match': match,
            'reason': 'so says the suite that this policy stands for'}


def exempt(parameters):
    images = parameters.get('exemptImages', [])
    return [exception('exempt-images', EVERYTHING, image=images)] if images else []


def gatekeeper(kind, parameters):
    if kind == 'privileged-containers':
        return policy([posture for posture in EVERYTHING if posture != 'privileged'],
                      exempt(parameters))
    profiles = parameters.get('allowedProfiles', [])
    files = parameters.get('allowedLocalhostFiles', [])
    if '*' in profiles:
        return policy(EVERYTHING)
    # these two look at profiles alone
    allow = ['privileged'] + [PROFILES[name] for name in profiles if name in PROFILES]
    names = [name for name in profiles
             if name.startswith('localhost/') and name not in PROFILES]
    if 'Localhost' in profiles:
        names += ['localhost/' + name for name in files if name != '*']
        allow += ['localhost'] if '*' in files else []
    exceptions = exempt(parameters)
    if names:
        exceptions.append(exception('localhost-files', ['localhost'], profile=names))
    return policy(allow, exceptions)
