/* SPDX-License-Identifier: ISC */
/* peer.c: Owns the listening socket. */
#include "t/fuzz/peer.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "t/fuzz/target.h"

int
peer_listen(uint16_t *port)
{
	static struct sockaddr_in at = { .sin_family = AF_INET };
	static int fd = -1;
	socklen_t len = sizeof(at);

	if (fd == -1) {
		at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		must(bind(fd, (struct sockaddr *)&at, len) == 0 &&
		    listen(fd, 16) == 0 &&
		    getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	}
	*port = ntohs(at.sin_port);
	return fd;
}
