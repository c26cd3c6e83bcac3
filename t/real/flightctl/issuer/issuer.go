// SPDX-License-Identifier: ISC

// Command issuer serves the files of a folder (discovery document and keys of
// an OpenID issuer, written by t/real/flight) to the Flightctl service.
package main

import (
	"log"
	"net/http"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: issuer ADDRESS:PORT DIR")
	}
	log.Fatal(http.ListenAndServe(os.Args[1],
		http.FileServer(http.Dir(os.Args[2]))))
}
