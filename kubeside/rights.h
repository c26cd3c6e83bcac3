/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_RIGHTS_H
#define KUBESIDE_RIGHTS_H

/* What rights.def limits a right to. */

enum right_where {
	IN_ALL,
	IN_BEATS,
	IN_OURS,
	IN_PODS
};

enum right_name {
	OF_ANY,
	OF_NODE,
	OF_SYSTEM
};

enum right_when {
	IF_ALWAYS,
	IF_NO_ID,
	IF_INLINE
};

#endif
