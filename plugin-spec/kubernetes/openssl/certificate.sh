#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# certificate.sh [DAYS] - makes, beside itself, what kustomization.yaml needs: tls.crt and
# tls.key for the webhook's service (for DAYS days, 365), and ca-bundle.yaml, which tells the
# API servers whom to trust. The CA (ca.crt, ca.key) is made at the first call and kept: later
# calls renew the certificate under it, so that no API server has to hear of a new one. Keep
# ca.key and tls.key to yourself; .gitignore leaves all of them out.
set -eu
umask 077
cd "$(dirname "$0")"
days=${1:-365}
name=seccomp-authz.seccomp-authz.svc

if [ ! -f ca.key ] || [ ! -f ca.crt ]; then
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 3650 \
		-subj "/CN=seccomp-authz-ca" -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
		-addext "keyUsage=critical,keyCertSign,cRLSign" -keyout ca.key -out ca.crt 2>/dev/null
fi
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 \
	-subj "/CN=$name" -keyout tls.key.new -out tls.csr 2>/dev/null
# API servers go by the subject alternative name, not by the common name
printf '%s\n' "subjectAltName=DNS:$name" "basicConstraints=critical,CA:FALSE" \
	"keyUsage=critical,digitalSignature" "extendedKeyUsage=serverAuth" >tls.ext
openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -set_serial "0x$(openssl rand -hex 16)" \
	-days "$days" -sha256 -extfile tls.ext -out tls.crt.new 2>/dev/null
mv tls.key.new tls.key
mv tls.crt.new tls.crt
rm -f tls.csr tls.ext
bundle=$(openssl base64 -A -in ca.crt)
for index in 0 1; do
	printf -- '- op: add\n  path: /webhooks/%s/clientConfig/caBundle\n  value: %s\n' \
		"$index" "$bundle"
done >ca-bundle.yaml
openssl x509 -in tls.crt -noout -subject -enddate
