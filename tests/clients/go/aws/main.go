// The AWS SDK for Go v2 and its two transfer managers, as their documentation says to use them: everything but the
// style of addressing comes from the environment.
package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"bucketry.test/clients/work"
)

// The parts are of 5 MiB, the last one is smaller.
const (
	partSize = 5 << 20
	bigSize  = 2*partSize + partSize/2 + 17
)

func main() {
	ctx := context.Background()
	settings := work.FromEnvironment()
	loaded, err := config.LoadDefaultConfig(ctx)
	work.Must(err, "load the configuration")
	var notes notes
	client := s3.NewFromConfig(loaded, func(options *s3.Options) {
		options.UsePathStyle = settings.PathStyle
		options.Logger = &notes
	})

	sdk(ctx, client, settings, &notes)
	manager(ctx, client, settings)
	transferManager(ctx, client, settings, &notes)
}

// What the client writes to its log: among it, that it could not verify what it read.
type notes struct {
	guard sync.Mutex
	lines []string
}

func (n *notes) Logf(_ logging.Classification, format string, arguments ...any) {
	n.guard.Lock()
	defer n.guard.Unlock()
	n.lines = append(n.lines, fmt.Sprintf(format, arguments...))
}

func (n *notes) clear() {
	n.guard.Lock()
	defer n.guard.Unlock()
	n.lines = nil
}

func (n *notes) none(what string) {
	n.guard.Lock()
	defer n.guard.Unlock()
	work.Assert(len(n.lines) == 0, "%s: the client notes %q", what, n.lines)
}
