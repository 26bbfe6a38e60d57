package main

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	s3manager "github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"bucketry.test/clients/work"
)

// feature/s3/manager: deprecated, and what most programs still use.
func manager(ctx context.Context, client *s3.Client, settings work.Settings) {
	bucket := aws.String(settings.Bucket)
	region, err := s3manager.GetBucketRegion(ctx, client, settings.Bucket)
	work.Must(err, "GetBucketRegion")
	work.Assert(region == client.Options().Region, "GetBucketRegion says %q", region)

	uploader, downloader := s3manager.NewUploader(client), s3manager.NewDownloader(client)
	download := func(key string, more ...func(*s3.GetObjectInput)) ([]byte, error) {
		buffer, input := s3manager.NewWriteAtBuffer(nil), &s3.GetObjectInput{Bucket: bucket, Key: &key}
		for _, change := range more {
			change(input)
		}
		_, err := downloader.Download(ctx, buffer, input)
		return buffer.Bytes(), err
	}
	for _, name := range settings.Names {
		_, err := uploader.Upload(ctx, &s3.PutObjectInput{
			Bucket: bucket, Key: &name, Body: bytes.NewReader(work.Small(name)), Metadata: map[string]string{"by": "manager"},
		})
		work.Must(err, "Upload %q", name)
	}
	for _, name := range settings.Names {
		content, err := download(name)
		work.Must(err, "Download %q", name)
		work.Same(content, work.Small(name), name)
	}

	// A stream of unknown length goes by parts; the download goes by concurrent ranges.
	big, content := "manager/big + object", work.Content("manager", bigSize)
	made, err := uploader.Upload(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &big, Body: io.MultiReader(bytes.NewReader(content))})
	work.Must(err, "Upload by parts")
	work.Assert(len(made.CompletedParts) == 3, "%d parts", len(made.CompletedParts))
	got, err := download(big)
	work.Must(err, "Download by ranges")
	work.Same(got, content, big)
	got, err = download(big, func(input *s3.GetObjectInput) { input.Range = aws.String("bytes=5242800-5242960") })
	work.Must(err, "Download of a range")
	work.Same(got, content[5242800:5242961], "range of "+big)

	_, err = download("missing")
	var noKey *types.NoSuchKey
	work.Assert(errors.As(err, &noKey), "Download of a missing key: expected NoSuchKey, got %v", err)
	empty(ctx, client, bucket)
	work.Report("AWS SDK for Go v2 (manager)", "github.com/aws/aws-sdk-go-v2/feature/s3/manager",
		"GetBucketRegion", "Upload", "Upload of a stream, multipart by 5 MiB", "Download", "Download by concurrent ranges",
		"range", "typed error")
}
