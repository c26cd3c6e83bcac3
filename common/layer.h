/* SPDX-License-Identifier: ISC */
#ifndef COMMON_LAYER_H
#define COMMON_LAYER_H

/*
 * Layers of a worker's sandbox that a kernel may lack; without any other one a
 * worker does not start.  Parts of Landlock came with a version (ABI) of it
 * each, and what one leaves the filter of calls refuses.
 *	id, label in metrics, version of Landlock (0: not of it), what it holds
 */
#define SANDBOX_LAYERS(X)                                    \
	X(SECCOMP, "seccomp", 0, "system calls")             \
	X(LANDLOCK, "landlock", 1, "files")                  \
	X(TRUNCATE, "landlock_truncate", 3, "cutting files") \
	X(TCP, "landlock_tcp", 4, "TCP ports")               \
	X(IOCTL, "landlock_ioctl", 5, "ioctl of devices")    \
	X(SCOPE, "landlock_scope", 6, "signals and abstract sockets")

enum sandbox_layer {
#define X(id, label, abi, holds) LAYER_##id,
	SANDBOX_LAYERS(X)
#undef X
	NLAYERS_OF_SANDBOX
};

#endif
