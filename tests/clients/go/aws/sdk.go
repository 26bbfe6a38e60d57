package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"bucketry.test/clients/work"
)

// The plain client.
func sdk(ctx context.Context, client *s3.Client, settings work.Settings, notes *notes) {
	bucket := aws.String(settings.Bucket)
	putAndGetAll(ctx, client, settings)
	notes.none("GetObject of whole objects")
	listAll(ctx, client, settings)
	copyAll(ctx, client, settings)
	notes.none("GetObject of copies")
	metadata(ctx, client, bucket)
	multipart(ctx, client, bucket)
	presigned(ctx, client, bucket)
	typedErrors(ctx, client, bucket)
	deleteAll(ctx, client, bucket)
	work.Report("AWS SDK for Go v2", "github.com/aws/aws-sdk-go-v2/service/s3",
		"PutObject", "GetObject", "HeadObject", "HeadBucket", "ListObjectsV2 with pages", "ListObjects", "CopyObject",
		"metadata", "tags", "multipart by 5 MiB", "ListParts", "UploadPartCopy", "AbortMultipartUpload", "range",
		"conditional read", "GetObjectAttributes", "presigned GET and PUT", "DeleteObject", "DeleteObjects", "waiters",
		"typed errors")
}

func putAndGetAll(ctx context.Context, client *s3.Client, settings work.Settings) {
	bucket := aws.String(settings.Bucket)
	head, err := client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: bucket})
	work.Must(err, "HeadBucket")
	work.Assert(aws.ToString(head.BucketRegion) == client.Options().Region, "HeadBucket says region %q",
		aws.ToString(head.BucketRegion))
	for _, name := range settings.Names {
		content := work.Small(name)
		put, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &name, Body: bytes.NewReader(content)})
		work.Must(err, "PutObject %q", name)
		sum := md5.Sum(content)
		work.Assert(aws.ToString(put.ETag) == `"`+hex.EncodeToString(sum[:])+`"`, "%q has ETag %q", name, *put.ETag)
		work.Assert(aws.ToString(put.ChecksumCRC32) != "", "PutObject %q returns no CRC32, which the client sends", name)
	}
	for _, name := range settings.Names {
		work.Same(get(ctx, client, &s3.GetObjectInput{Bucket: bucket, Key: &name}), work.Small(name), name)
	}
}

// Gets, and lets the client verify the checksum, as it does of itself.
func get(ctx context.Context, client *s3.Client, input *s3.GetObjectInput) []byte {
	output, err := client.GetObject(ctx, input)
	work.Must(err, "GetObject %q", *input.Key)
	defer output.Body.Close()
	content, err := io.ReadAll(output.Body)
	work.Must(err, "read %q", *input.Key)
	return content
}

func listAll(ctx context.Context, client *s3.Client, settings work.Settings) {
	bucket := aws.String(settings.Bucket)
	var found []string
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: bucket, MaxKeys: aws.Int32(40)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		work.Must(err, "ListObjectsV2 after %d entries", len(found))
		for _, entry := range page.Contents {
			found = append(found, *entry.Key)
			work.Assert(*entry.Size == int64(len(work.Small(*entry.Key))), "%q is listed with size %d", *entry.Key, *entry.Size)
		}
	}
	work.SameNames(found, settings.Names, "ListObjectsV2")

	found = nil
	input := &s3.ListObjectsInput{Bucket: bucket, MaxKeys: aws.Int32(70)}
	for {
		page, err := client.ListObjects(ctx, input)
		work.Must(err, "ListObjects after %d entries", len(found))
		for _, entry := range page.Contents {
			found = append(found, *entry.Key)
		}
		if !aws.ToBool(page.IsTruncated) {
			break
		}
		// Without a delimiter S3 sends no NextMarker: the last key is the marker.
		input.Marker = aws.String(found[len(found)-1])
	}
	work.SameNames(found, settings.Names, "ListObjects")
}

// CopySource is encoded by the caller. `url.PathEscape` leaves a plus sign as it is, which S3 reads as a space; so it
// has to be `url.QueryEscape`, which writes a space as a plus sign.
func copyAll(ctx context.Context, client *s3.Client, settings work.Settings) {
	bucket := aws.String(settings.Bucket)
	for _, name := range settings.Names {
		target := "copied"
		_, err := client.CopyObject(ctx, &s3.CopyObjectInput{
			Bucket: bucket, Key: &target, CopySource: aws.String(settings.Bucket + "/" + url.QueryEscape(name)),
		})
		work.Must(err, "CopyObject of %q", name)
		work.Same(get(ctx, client, &s3.GetObjectInput{Bucket: bucket, Key: &target}), work.Small(name), "copy of "+name)
	}
}

func metadata(ctx context.Context, client *s3.Client, bucket *string) {
	key := aws.String("described")
	_, err := client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: bucket, Key: key, Body: bytes.NewReader([]byte("described")), ContentType: aws.String("text/plain; charset=utf-8"),
		CacheControl: aws.String("max-age=60"), ContentDisposition: aws.String(`attachment; filename="a b.txt"`),
		Metadata: map[string]string{"project": "green house", "Mixed-Case": "Yes"}, Tagging: aws.String("colour=dark%20green"),
	})
	work.Must(err, "PutObject with metadata")
	head, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key})
	work.Must(err, "HeadObject")
	work.Assert(head.Metadata["project"] == "green house" && head.Metadata["mixed-case"] == "Yes", "metadata: %v", head.Metadata)
	work.Assert(*head.ContentType == "text/plain; charset=utf-8" && *head.CacheControl == "max-age=60" &&
		*head.ContentDisposition == `attachment; filename="a b.txt"`, "content headers: %q %q %q", *head.ContentType,
		*head.CacheControl, *head.ContentDisposition)
	tags, err := client.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: key})
	work.Must(err, "GetObjectTagging")
	work.Assert(len(tags.TagSet) == 1 && *tags.TagSet[0].Value == "dark green", "tags: %v", tags.TagSet)
	_, err = client.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: bucket, Key: key, Tagging: &types.Tagging{
		TagSet: []types.Tag{{Key: aws.String("shape"), Value: aws.String("round + flat = @:/")}},
	}})
	work.Must(err, "PutObjectTagging")
	tags, err = client.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: key})
	work.Must(err, "GetObjectTagging")
	work.Assert(len(tags.TagSet) == 1 && *tags.TagSet[0].Value == "round + flat = @:/", "tags: %v", tags.TagSet)

	attributes, err := client.GetObjectAttributes(ctx, &s3.GetObjectAttributesInput{
		Bucket: bucket, Key: key,
		ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesObjectSize, types.ObjectAttributesChecksum, types.ObjectAttributesEtag},
	})
	work.Must(err, "GetObjectAttributes")
	work.Assert(*attributes.ObjectSize == 9 && attributes.Checksum != nil && attributes.Checksum.ChecksumCRC32 != nil,
		"attributes: %+v", attributes)

	_, err = client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, IfNoneMatch: head.ETag})
	var answer interface{ HTTPStatusCode() int }
	work.Assert(errors.As(err, &answer) && answer.HTTPStatusCode() == http.StatusNotModified, "If-None-Match: %v", err)
	_, err = client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, IfNoneMatch: aws.String("*")})
	var coded smithy.APIError
	work.Assert(errors.As(err, &coded) && coded.ErrorCode() == "PreconditionFailed", "If-None-Match: *: %v", err)
}

func multipart(ctx context.Context, client *s3.Client, bucket *string) {
	key, content := aws.String("by parts/big + object"), work.Content("multipart", bigSize)
	created, err := client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: bucket, Key: key, Metadata: map[string]string{"made": "by parts"},
	})
	work.Must(err, "CreateMultipartUpload")
	var parts []types.CompletedPart
	for offset := 0; offset < len(content); offset += partSize {
		number := aws.Int32(int32(len(parts) + 1))
		part, err := client.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: bucket, Key: key, UploadId: created.UploadId, PartNumber: number,
			Body: bytes.NewReader(content[offset:min(offset+partSize, len(content))]),
		})
		work.Must(err, "UploadPart %d", *number)
		parts = append(parts, types.CompletedPart{PartNumber: number, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32})
	}
	listed, err := client.ListParts(ctx, &s3.ListPartsInput{Bucket: bucket, Key: key, UploadId: created.UploadId})
	work.Must(err, "ListParts")
	work.Assert(len(listed.Parts) == len(parts), "%d parts are listed", len(listed.Parts))
	_, err = client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: bucket, Key: key, UploadId: created.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	work.Must(err, "CompleteMultipartUpload")
	work.Same(get(ctx, client, &s3.GetObjectInput{Bucket: bucket, Key: key}), content, "multipart object")
	span := fmt.Sprintf("bytes=%d-%d", partSize-100, partSize+99)
	work.Same(get(ctx, client, &s3.GetObjectInput{Bucket: bucket, Key: key, Range: &span}), content[partSize-100:partSize+100], span)
	work.Same(get(ctx, client, &s3.GetObjectInput{Bucket: bucket, Key: key, PartNumber: aws.Int32(2)}),
		content[partSize:2*partSize], "part 2")
	copyByParts(ctx, client, bucket, key, content)
}

func copyByParts(ctx context.Context, client *s3.Client, bucket, source *string, content []byte) {
	key := aws.String("copied by parts")
	created, err := client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
	work.Must(err, "CreateMultipartUpload")
	part, err := client.UploadPartCopy(ctx, &s3.UploadPartCopyInput{
		Bucket: bucket, Key: key, UploadId: created.UploadId, PartNumber: aws.Int32(1),
		CopySource: aws.String(*bucket + "/" + url.QueryEscape(*source)), CopySourceRange: aws.String("bytes=1-6000000"),
	})
	work.Must(err, "UploadPartCopy")
	_, err = client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: bucket, Key: key, UploadId: created.UploadId, MultipartUpload: &types.CompletedMultipartUpload{
			Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.CopyPartResult.ETag}},
		},
	})
	work.Must(err, "CompleteMultipartUpload of a copied part")
	work.Same(get(ctx, client, &s3.GetObjectInput{Bucket: bucket, Key: key}), content[1:6000001], "copied part")

	created, err = client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
	work.Must(err, "CreateMultipartUpload")
	_, err = client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: bucket, Key: key, UploadId: created.UploadId})
	work.Must(err, "AbortMultipartUpload")
	_, err = client.ListParts(ctx, &s3.ListPartsInput{Bucket: bucket, Key: key, UploadId: created.UploadId})
	var coded smithy.APIError
	work.Assert(errors.As(err, &coded) && coded.ErrorCode() == "NoSuchUpload", "ListParts of an aborted upload: %v", err)
}

// Signed by the client, sent by nothing but Go's own HTTP.
func presigned(ctx context.Context, client *s3.Client, bucket *string) {
	key, signer := aws.String("presigned/ä + ü"), s3.NewPresignClient(client)
	request, err := signer.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key})
	work.Must(err, "presign PUT")
	send := func(method, address string, body []byte) []byte {
		sent, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
		work.Must(err, "presigned %s", method)
		// The SDK's client trusts what AWS_CA_BUNDLE names; Go's own does not.
		answer, err := client.Options().HTTPClient.Do(sent)
		work.Must(err, "presigned %s", method)
		defer answer.Body.Close()
		content, err := io.ReadAll(answer.Body)
		work.Must(err, "presigned %s", method)
		work.Assert(answer.StatusCode == http.StatusOK, "presigned %s: %s %s", method, answer.Status, content)
		return content
	}
	content := work.Content("presigned", 5000)
	send(http.MethodPut, request.URL, content)
	request, err = signer.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
	work.Must(err, "presign GET")
	work.Same(send(http.MethodGet, request.URL, nil), content, "presigned GET")
}

func typedErrors(ctx context.Context, client *s3.Client, bucket *string) {
	_, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("missing")})
	var noKey *types.NoSuchKey
	work.Assert(errors.As(err, &noKey), "GetObject of a missing key: expected NoSuchKey, got %v", err)
	_, err = client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("missing")})
	var notFound *types.NotFound
	work.Assert(errors.As(err, &notFound), "HeadObject of a missing key: expected NotFound, got %v", err)
	_, err = client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: aws.String("x"), CopySource: aws.String(*bucket + "/missing")})
	var coded smithy.APIError
	work.Assert(errors.As(err, &coded) && coded.ErrorCode() == "NoSuchKey", "CopyObject of a missing key: %v", err)
}

func deleteAll(ctx context.Context, client *s3.Client, bucket *string) {
	key := aws.String("waited for")
	_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key})
	work.Must(err, "PutObject")
	work.Must(s3.NewObjectExistsWaiter(client).Wait(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key}, 5*time.Second), "wait")
	_, err = client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key})
	work.Must(err, "DeleteObject")
	work.Must(s3.NewObjectNotExistsWaiter(client).Wait(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key}, 5*time.Second), "wait")
	empty(ctx, client, bucket)
}

// Deletes everything by DeleteObjects.
func empty(ctx context.Context, client *s3.Client, bucket *string) {
	for {
		page, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket})
		work.Must(err, "ListObjectsV2")
		if len(page.Contents) == 0 {
			return
		}
		var named []types.ObjectIdentifier
		for _, entry := range page.Contents {
			named = append(named, types.ObjectIdentifier{Key: entry.Key})
		}
		deleted, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: named}})
		work.Must(err, "DeleteObjects")
		work.Assert(len(deleted.Deleted) == len(named) && len(deleted.Errors) == 0, "DeleteObjects: %d of %d, errors %+v",
			len(deleted.Deleted), len(named), deleted.Errors)
	}
}
