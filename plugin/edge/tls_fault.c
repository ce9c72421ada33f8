/* SPDX-License-Identifier: Apache-2.0 */
/* tls_fault.c - what is wrong with a certificate, in words. */
#include "edge/tls.h"

#include <gnutls/x509.h>

const char *
tls_fault(long status)
{
	static const struct {
		long bit;
		const char *what;
	} faults[] = {
	    {GNUTLS_CERT_EXPIRED, "its certificate has expired"},
	    {GNUTLS_CERT_NOT_ACTIVATED, "its certificate is not valid yet"},
	    {GNUTLS_CERT_SIGNER_NOT_FOUND,
	     "its certificate is of no authority in ca.pem"},
	};

	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		if (status & faults[i].bit)
			return faults[i].what;
	}
	return NULL;
}
