// Package work holds what every Go client of the tests shares: the settings of a run, contents that can be computed
// again, and the report.
package work

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

// Settings is what the environment says about a run.
type Settings struct {
	Endpoint  string
	Bucket    string
	PathStyle bool
	// Names are object names, all different, in no particular order.
	Names []string
}

// FromEnvironment reads the settings; the credentials are left to the client.
func FromEnvironment() Settings {
	text, err := os.ReadFile(os.Getenv("CLIENT_NAMES"))
	Must(err, "read CLIENT_NAMES")
	names := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	Assert(len(names) > 100, "CLIENT_NAMES holds only %d names", len(names))
	return Settings{
		Endpoint:  os.Getenv("AWS_ENDPOINT_URL"),
		Bucket:    os.Getenv("BUCKET_NAME"),
		PathStyle: os.Getenv("CLIENT_ADDRESSING") == "path",
		Names:     names,
	}
}

// Content is `length` bytes that no other name has.
func Content(name string, length int) []byte {
	result := make([]byte, 0, length+sha256.Size)
	block := sha256.Sum256([]byte(name))
	for len(result) < length {
		result = append(result, block[:]...)
		block = sha256.Sum256(block[:])
	}
	return result[:length]
}

// Small is the content of the object `name`: up to 3 KiB, and none for a few.
func Small(name string) []byte {
	if len(name)%16 == 0 {
		return []byte{}
	}
	return Content(name, len(name)*37%3072)
}

// WriteFiles writes an object's content under its name for every name that is also a path below `folder` which the file
// system can hold as it is, and returns those names. Keys of nearly 1,024 bytes leave no room for a folder before them.
func WriteFiles(folder string, names []string) []string {
	var written []string
	for _, name := range names {
		if !expressible(name) || isFolder(name, names) || len(name) > 1000 {
			continue
		}
		path := filepath.Join(folder, name)
		Must(os.MkdirAll(filepath.Dir(path), 0o755), "make the folder of %q", name)
		Must(os.WriteFile(path, Small(name), 0o644), "write %q", name)
		written = append(written, name)
	}
	return written
}

// A path has no empty segments, none that means a folder, and none of more than 240 bytes: clients append to
// the names of files that they have not finished, and 255 is the most.
func expressible(name string) bool {
	return !slices.ContainsFunc(strings.Split(name, "/"), func(segment string) bool {
		return segment == "" || segment == "." || segment == ".." || len(segment) > 240
	})
}

func isFolder(name string, names []string) bool {
	return slices.ContainsFunc(names, func(other string) bool { return strings.HasPrefix(other, name+"/") })
}

// Must ends the run if `err` is one.
func Must(err error, format string, arguments ...any) {
	if err != nil {
		fail(fmt.Sprintf(format, arguments...) + ": " + err.Error())
	}
}

// Assert ends the run unless `holds`.
func Assert(holds bool, format string, arguments ...any) {
	if !holds {
		fail(fmt.Sprintf(format, arguments...))
	}
}

// Same ends the run if what came back is not what was sent.
func Same(got, want []byte, what string) {
	if !bytes.Equal(got, want) {
		fail(fmt.Sprintf("%s: %d bytes came back, %d were sent, or they differ", what, len(got), len(want)))
	}
}

// SameNames ends the run unless `got` holds exactly `want`, in the order of their bytes.
func SameNames(got, want []string, what string) {
	want = slices.Sorted(slices.Values(want))
	for i := range min(len(got), len(want)) {
		Assert(got[i] == want[i], "%s: entry %d is %q, expected %q", what, i, got[i], want[i])
	}
	Assert(len(got) == len(want), "%s: %d entries, expected %d", what, len(got), len(want))
}

// Report says that a client passed. `module` is the path of the Go module whose version counts.
func Report(client, module string, exercised ...string) {
	information, ok := debug.ReadBuildInfo()
	Assert(ok, "the binary has no build information")
	for _, dependency := range information.Deps {
		if dependency.Path == module {
			line, err := json.Marshal(map[string]any{
				"client": client, "version": strings.TrimPrefix(dependency.Version, "v"), "exercised": exercised,
			})
			Must(err, "report")
			fmt.Printf("RESULT %s\n", line)
			return
		}
	}
	fail("the binary is built without " + module)
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, "FAILED:", message)
	os.Exit(1)
}
