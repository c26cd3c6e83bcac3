/* SPDX-License-Identifier: ISC */
/* A body that decodes encodes to the same bytes, and msg_size() knows it. */
#include <stdlib.h>

#include "common/xmem.h"
#include "ipc/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define MSG(name, from, to, when, fd, body)                                   \
	static void try_##name(struct span s)                                 \
	{                                                                     \
		struct body_##body *m = xcalloc(1, sizeof(*m));               \
		struct wbuf w = { xmalloc(s.len), 0, s.len };                 \
                                                                              \
		if (body_##body##_get(s, m) == 0 &&                           \
		    (msg_size(MSG_##name, m) != s.len ||                      \
			msg_put(MSG_##name, &w, m) == -1 || w.len != s.len || \
			(s.len > 0 && memcmp(w.p, s.p, s.len) != 0)))         \
			abort();                                              \
		free(m), free(w.p);                                           \
	}
#include "ipc/msg.def"
#undef MSG

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(struct span) = {
#define MSG(name, ...) try_##name,
#include "ipc/msg.def"
	};

	if (size > 0)
		tries[data[0] % (MSG_COUNT - 1)](
		    (struct span){ (const char *)data + 1, size - 1 });
	return 0;
}
