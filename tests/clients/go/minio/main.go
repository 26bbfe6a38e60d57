// minio-go, as its documentation says to use it: with an endpoint, credentials and the style of addressing. It asks for
// the bucket's region itself.
package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/tags"

	"bucketry.test/clients/work"
)

const (
	partSize = 5 << 20
	bigSize  = 2*partSize + partSize/2 + 17
)

// A run: the client and its bucket.
type run struct {
	ctx      context.Context
	client   *minio.Client
	settings work.Settings
	bucket   string
}

func main() {
	settings := work.FromEnvironment()
	endpoint, err := url.Parse(settings.Endpoint)
	work.Must(err, "parse the endpoint")
	lookup := minio.BucketLookupDNS
	if settings.PathStyle {
		lookup = minio.BucketLookupPath
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds: credentials.NewEnvAWS(), Secure: endpoint.Scheme == "https", BucketLookup: lookup,
	})
	work.Must(err, "make the client")
	r := run{context.Background(), client, settings, settings.Bucket}
	r.putAndGetAll()
	r.listAll()
	r.copyAll()
	r.metadata()
	r.multipart()
	r.files()
	r.presigned()
	r.errors()
	r.removeAll()
	work.Report("minio-go", "github.com/minio/minio-go/v7",
		"BucketExists", "GetBucketLocation", "PutObject", "GetObject", "StatObject", "ListObjects (both versions) with pages",
		"CopyObject", "metadata", "tags", "PutObject of a stream, multipart by 5 MiB", "concurrent parts", "ComposeObject",
		"FPutObject", "FGetObject", "range", "seek", "GetObjectAttributes", "conditional write", "presigned GET, PUT and POST",
		"ListIncompleteUploads", "RemoveIncompleteUpload", "RemoveObject", "RemoveObjects", "typed errors")
}

func (r run) put(name string, content []byte, options minio.PutObjectOptions) minio.UploadInfo {
	made, err := r.client.PutObject(r.ctx, r.bucket, name, bytes.NewReader(content), int64(len(content)), options)
	work.Must(err, "PutObject %q", name)
	return made
}

func (r run) get(name string, options minio.GetObjectOptions) []byte {
	object, err := r.client.GetObject(r.ctx, r.bucket, name, options)
	work.Must(err, "GetObject %q", name)
	defer object.Close()
	content, err := io.ReadAll(object)
	work.Must(err, "read %q", name)
	return content
}

func (r run) putAndGetAll() {
	exists, err := r.client.BucketExists(r.ctx, r.bucket)
	work.Must(err, "BucketExists")
	work.Assert(exists, "the bucket does not exist")
	region, err := r.client.GetBucketLocation(r.ctx, r.bucket)
	work.Must(err, "GetBucketLocation")
	work.Assert(region == os.Getenv("AWS_REGION"), "GetBucketLocation says %q", region)
	for _, name := range r.settings.Names {
		content := work.Small(name)
		made, sum := r.put(name, content, minio.PutObjectOptions{}), md5.Sum(content)
		work.Assert(made.ETag == hex.EncodeToString(sum[:]), "%q has ETag %q", name, made.ETag)
	}
	for _, name := range r.settings.Names {
		work.Same(r.get(name, minio.GetObjectOptions{}), work.Small(name), name)
	}
}

func (r run) listAll() {
	for _, options := range []minio.ListObjectsOptions{
		{Recursive: true, MaxKeys: 40}, {Recursive: true, MaxKeys: 40, UseV1: true},
	} {
		var found []string
		for entry := range r.client.ListObjects(r.ctx, r.bucket, options) {
			work.Must(entry.Err, "ListObjects after %d entries", len(found))
			work.Assert(entry.Size == int64(len(work.Small(entry.Key))), "%q is listed with size %d", entry.Key, entry.Size)
			found = append(found, entry.Key)
		}
		work.SameNames(found, r.settings.Names, fmt.Sprintf("ListObjects %+v", options))
	}
}

func (r run) copyAll() {
	for _, name := range r.settings.Names {
		_, err := r.client.CopyObject(r.ctx, minio.CopyDestOptions{Bucket: r.bucket, Object: "copied"},
			minio.CopySrcOptions{Bucket: r.bucket, Object: name})
		work.Must(err, "CopyObject of %q", name)
		work.Same(r.get("copied", minio.GetObjectOptions{}), work.Small(name), "copy of "+name)
	}
}

func (r run) metadata() {
	name := "described + named"
	r.put(name, []byte("described"), minio.PutObjectOptions{
		ContentType: "text/plain; charset=utf-8", CacheControl: "max-age=60",
		UserMetadata: map[string]string{"Project": "green house"}, UserTags: map[string]string{"colour": "dark green"},
	})
	stat, err := r.client.StatObject(r.ctx, r.bucket, name, minio.StatObjectOptions{})
	work.Must(err, "StatObject")
	work.Assert(stat.UserMetadata["Project"] == "green house" && stat.ContentType == "text/plain; charset=utf-8" &&
		stat.Metadata.Get("Cache-Control") == "max-age=60", "StatObject: %+v", stat)
	wanted, err := tags.NewTags(map[string]string{"shape": "round + flat"}, true)
	work.Must(err, "make tags")
	work.Must(r.client.PutObjectTagging(r.ctx, r.bucket, name, wanted, minio.PutObjectTaggingOptions{}), "PutObjectTagging")
	found, err := r.client.GetObjectTagging(r.ctx, r.bucket, name, minio.GetObjectTaggingOptions{})
	work.Must(err, "GetObjectTagging")
	work.Assert(found.ToMap()["shape"] == "round + flat", "tags: %v", found)
	work.Must(r.client.RemoveObjectTagging(r.ctx, r.bucket, name, minio.RemoveObjectTaggingOptions{}), "RemoveObjectTagging")
	attributes, err := r.client.GetObjectAttributes(r.ctx, r.bucket, name, minio.ObjectAttributesOptions{})
	work.Must(err, "GetObjectAttributes")
	work.Assert(attributes.ObjectSize == 9, "attributes: %+v", attributes)

	only := minio.PutObjectOptions{}
	only.SetMatchETagExcept("*")
	_, err = r.client.PutObject(r.ctx, r.bucket, name, bytes.NewReader(nil), 0, only)
	work.Assert(minio.ToErrorResponse(err).Code == "PreconditionFailed", "If-None-Match: *: %v", err)
}

func (r run) multipart() {
	content := work.Content("multipart", bigSize)
	// A stream of unknown length; then a file whose parts go concurrently.
	_, err := r.client.PutObject(r.ctx, r.bucket, "streamed", io.MultiReader(bytes.NewReader(content)), -1,
		minio.PutObjectOptions{PartSize: partSize})
	work.Must(err, "PutObject of a stream")
	work.Same(r.get("streamed", minio.GetObjectOptions{}), content, "streamed")
	r.put("by parts/big + object", content, minio.PutObjectOptions{PartSize: partSize, NumThreads: 3, ConcurrentStreamParts: true})
	work.Same(r.get("by parts/big + object", minio.GetObjectOptions{}), content, "by parts")

	span := minio.GetObjectOptions{}
	work.Must(span.SetRange(partSize-100, partSize+99), "SetRange")
	work.Same(r.get("streamed", span), content[partSize-100:partSize+100], "range")
	object, err := r.client.GetObject(r.ctx, r.bucket, "streamed", minio.GetObjectOptions{})
	work.Must(err, "GetObject")
	defer object.Close()
	_, err = object.Seek(-1000, io.SeekEnd)
	work.Must(err, "Seek")
	tail, err := io.ReadAll(object)
	work.Must(err, "read after Seek")
	work.Same(tail, content[len(content)-1000:], "tail")

	_, err = r.client.ComposeObject(r.ctx, minio.CopyDestOptions{Bucket: r.bucket, Object: "composed"},
		minio.CopySrcOptions{Bucket: r.bucket, Object: "by parts/big + object"},
		minio.CopySrcOptions{Bucket: r.bucket, Object: "streamed", MatchRange: true, Start: 7, End: 1006})
	work.Must(err, "ComposeObject")
	work.Same(r.get("composed", minio.GetObjectOptions{}), append(bytes.Clone(content), content[7:1007]...), "composed")

	_, err = minio.Core{Client: r.client}.NewMultipartUpload(r.ctx, r.bucket, "left open", minio.PutObjectOptions{})
	work.Must(err, "NewMultipartUpload")
	open := 0
	for upload := range r.client.ListIncompleteUploads(r.ctx, r.bucket, "", true) {
		work.Must(upload.Err, "ListIncompleteUploads")
		work.Assert(upload.Key == "left open", "upload of %q", upload.Key)
		open++
	}
	work.Assert(open == 1, "%d open uploads", open)
	work.Must(r.client.RemoveIncompleteUpload(r.ctx, r.bucket, "left open"), "RemoveIncompleteUpload")
}

func (r run) files() {
	names := work.WriteFiles("sent", r.settings.Names)
	for _, name := range names {
		_, err := r.client.FPutObject(r.ctx, r.bucket, "files/"+name, filepath.Join("sent", name), minio.PutObjectOptions{})
		work.Must(err, "FPutObject %q", name)
	}
	for _, name := range names {
		work.Must(r.client.FGetObject(r.ctx, r.bucket, "files/"+name, "received", minio.GetObjectOptions{}), "FGetObject %q", name)
		content, err := os.ReadFile("received")
		work.Must(err, "read the file of %q", name)
		work.Same(content, work.Small(name), "FGetObject "+name)
		work.Must(os.Remove("received"), "remove the file of %q", name)
	}
}

func (r run) presigned() {
	name, content := "presigned/ä + ü", work.Content("presigned", 5000)
	put, err := r.client.PresignedPutObject(r.ctx, r.bucket, name, time.Minute)
	work.Must(err, "PresignedPutObject")
	request, err := http.NewRequestWithContext(r.ctx, http.MethodPut, put.String(), bytes.NewReader(content))
	work.Must(err, "presigned PUT")
	send(request, http.StatusOK)
	get, err := r.client.PresignedGetObject(r.ctx, r.bucket, name, time.Minute, nil)
	work.Must(err, "PresignedGetObject")
	request, err = http.NewRequestWithContext(r.ctx, http.MethodGet, get.String(), nil)
	work.Must(err, "presigned GET")
	work.Same(send(request, http.StatusOK), content, "presigned GET")
	r.form()
}

func (r run) errors() {
	_, err := r.client.StatObject(r.ctx, r.bucket, "missing", minio.StatObjectOptions{})
	work.Assert(minio.ToErrorResponse(err).Code == minio.NoSuchKey, "StatObject of a missing key: %v", err)
	object, err := r.client.GetObject(r.ctx, r.bucket, "missing", minio.GetObjectOptions{})
	work.Must(err, "GetObject")
	_, err = io.ReadAll(object)
	work.Assert(minio.ToErrorResponse(err).Code == minio.NoSuchKey, "GetObject of a missing key: %v", err)
	work.Assert(minio.ToErrorResponse(err).Key == "missing", "the error names key %q", minio.ToErrorResponse(err).Key)
}

func (r run) removeAll() {
	work.Must(r.client.RemoveObject(r.ctx, r.bucket, "copied", minio.RemoveObjectOptions{}), "RemoveObject")
	listed := r.client.ListObjects(r.ctx, r.bucket, minio.ListObjectsOptions{Recursive: true})
	for fault := range r.client.RemoveObjects(r.ctx, r.bucket, listed, minio.RemoveObjectsOptions{}) {
		work.Must(fault.Err, "RemoveObjects: %q", fault.ObjectName)
	}
	for entry := range r.client.ListObjects(r.ctx, r.bucket, minio.ListObjectsOptions{Recursive: true}) {
		work.Must(entry.Err, "ListObjects")
		work.Assert(false, "%q is left", entry.Key)
	}
}
