/* SPDX-License-Identifier: ISC */
#ifndef COMMON_LIMITS_H
#define COMMON_LIMITS_H

/* Every bound on what comes from outside has its name here. */
enum {
	MAX_ITEM = 8 * 1024 * 1024,   /* one pod, device or body */
	MAX_DEVICE = MAX_ITEM / 2,    /* one with all that we add to it */
	MAX_FRAME = MAX_ITEM + 65536, /* an item and its frame */
	MAX_NODES = 32,		      /* virtual nodes of one provider */
	MAX_PODS = 10000,	      /* of all nodes */
	MAX_DEVICES = 20000,
	MAX_JSON_DEPTH = 64,
	MAX_JSON_NODES = 100000, /* values in one item */
	MAX_LIST = 4096,	 /* elements of one array in it */
	MAX_NAME = 253,		 /* DNS subdomain */
	MAX_NAMESPACE = 63,
	MAX_UID = 64,
	MAX_LABEL_VALUE = 63,
	MAX_LABEL_KEY = MAX_NAME + 1 + MAX_LABEL_VALUE, /* with its prefix */
	MAX_LABELS = 256 * 1024,			/* of one object */
	MAX_CONTAINERS = 128,				/* of one pod */
	MAX_APP = 63,		      /* our application names */
	MAX_APPLICATION = 256 * 1024, /* one pod's files and config */
	MAX_TEXT = 512,		      /* one message to a person */
	MAX_SETTING = 8192,	      /* one setting's value */
	MAX_STATUS = 256 * 1024,      /* one pod status patch */
	MAX_ORDERS = 128 * 1024,      /* that hold for one node; half of what
					 the annotations of an object may be */
	MAX_EDIT = 4 * 1024 * 1024,   /* our entries of one write */
};

#endif
