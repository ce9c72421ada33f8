/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loopback - the address of a TCP port that only this machine reaches.
 *
 * Invariant: nothing but an address of 127.0.0.0/8 or ::1 comes out. What is told there
 * has neither a password nor encryption, so it may not leave the machine. Start only.
 */
#pragma once

#include "core/err.h"
#include "edge/tcp.h"

/* Reads "127.0.0.1:9464" or "[::1]:9464", as tcp_read(). */
int loopback_read(const char *text, struct tcp_address *ret_address, struct err *err);
