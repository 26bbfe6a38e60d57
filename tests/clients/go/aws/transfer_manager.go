package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"bucketry.test/clients/work"
)

// feature/s3/transfermanager, the successor of the manager.
func transferManager(ctx context.Context, client *s3.Client, settings work.Settings, notes *notes) {
	bucket, transfers := aws.String(settings.Bucket), transfermanager.New(client)
	for _, name := range settings.Names {
		_, err := transfers.UploadObject(ctx, &transfermanager.UploadObjectInput{
			Bucket: bucket, Key: &name, Body: bytes.NewReader(work.Small(name)),
		})
		work.Must(err, "UploadObject %q", name)
	}
	for _, name := range settings.Names {
		output, err := transfers.GetObject(ctx, &transfermanager.GetObjectInput{Bucket: bucket, Key: &name})
		work.Must(err, "GetObject %q", name)
		content, err := io.ReadAll(output.Body)
		work.Must(err, "read %q", name)
		work.Same(content, work.Small(name), name)
	}
	transferBig(ctx, transfers, bucket, notes)

	_, err := transfers.DownloadObject(ctx, &transfermanager.DownloadObjectInput{
		Bucket: bucket, Key: aws.String("missing"), WriterAt: types.NewWriteAtBuffer(nil),
	})
	var noKey *s3types.NoSuchKey
	work.Assert(errors.As(err, &noKey), "DownloadObject of a missing key: expected NoSuchKey, got %v", err)
	transferFolders(ctx, transfers, settings)
	empty(ctx, client, bucket)
	work.Report("AWS SDK for Go v2 (transfermanager)", "github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager",
		"UploadObject", "UploadObject, multipart", "GetObject", "GetObject by parts", "DownloadObject by parts",
		"DownloadObject by ranges", "UploadDirectory", "DownloadDirectory", "typed error")
}

// Beyond its threshold of 16 MiB the transfer manager uploads by parts of 8 MiB.
func transferBig(ctx context.Context, transfers *transfermanager.Client, bucket *string, notes *notes) {
	key, content := aws.String("transfermanager/big + object"), work.Content("transfermanager", 17<<20+17)
	_, err := transfers.UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: bucket, Key: key, Body: bytes.NewReader(content)})
	work.Must(err, "UploadObject by parts")
	notes.clear()
	output, err := transfers.GetObject(ctx, &transfermanager.GetObjectInput{Bucket: bucket, Key: key})
	work.Must(err, "GetObject by parts")
	got, err := io.ReadAll(output.Body)
	work.Must(err, "read by parts")
	work.Same(got, content, "GetObject by parts")
	notes.none("GetObject by parts, each with its own checksum")
	for _, kind := range []types.GetObjectType{types.GetObjectParts, types.GetObjectRanges} {
		buffer := types.NewWriteAtBuffer(nil)
		_, err := transfers.DownloadObject(ctx, &transfermanager.DownloadObjectInput{Bucket: bucket, Key: key, WriterAt: buffer},
			func(options *transfermanager.Options) { options.GetObjectType = kind })
		work.Must(err, "DownloadObject by %s", kind)
		work.Same(buffer.Bytes(), content, "DownloadObject by "+string(kind))
	}
}

// DownloadDirectory takes every key with two dots in a row for one outside of its folder.
func transferFolders(ctx context.Context, transfers *transfermanager.Client, settings work.Settings) {
	sent, received := "sent", "received"
	names := work.WriteFiles(sent, slices.DeleteFunc(slices.Clone(settings.Names), func(name string) bool {
		return strings.Contains(name, "..")
	}))
	work.Assert(len(names) > 100, "only %d of the names are paths", len(names))
	up, err := transfers.UploadDirectory(ctx, &transfermanager.UploadDirectoryInput{
		Bucket: aws.String(settings.Bucket), Source: &sent, KeyPrefix: aws.String("whole folder"), Recursive: aws.Bool(true),
	})
	work.Must(err, "UploadDirectory")
	work.Assert(up.ObjectsUploaded == int64(len(names)) && up.ObjectsFailed == 0, "UploadDirectory: %+v", up)
	down, err := transfers.DownloadDirectory(ctx, &transfermanager.DownloadDirectoryInput{
		Bucket: aws.String(settings.Bucket), Destination: &received, KeyPrefix: aws.String("whole folder"),
	})
	work.Must(err, "DownloadDirectory")
	work.Assert(down.ObjectsDownloaded == int64(len(names)) && down.ObjectsFailed == 0, "DownloadDirectory: %+v", down)
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(received, name))
		work.Must(err, "read the file of %q", name)
		work.Same(content, work.Small(name), "DownloadDirectory: "+name)
	}
}
