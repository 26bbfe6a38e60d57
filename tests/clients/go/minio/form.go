package main

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"

	"bucketry.test/clients/work"
)

// An HTML form with a policy that the client signs, sent by Go's own HTTP.
func (r run) form() {
	name, content := "by form/ä + ü", work.Content("form", 3000)
	policy := minio.NewPostPolicy()
	work.Must(policy.SetBucket(r.bucket), "SetBucket")
	work.Must(policy.SetKey(name), "SetKey")
	work.Must(policy.SetExpires(time.Now().Add(time.Minute)), "SetExpires")
	work.Must(policy.SetContentLengthRange(1, 4000), "SetContentLengthRange")
	address, fields, err := r.client.PresignedPostPolicy(r.ctx, policy)
	work.Must(err, "PresignedPostPolicy")
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for field, value := range fields {
		work.Must(form.WriteField(field, value), "write %s", field)
	}
	file, err := form.CreateFormFile("file", "file.bin")
	work.Must(err, "write the file")
	_, err = file.Write(content)
	work.Must(err, "write the file")
	work.Must(form.Close(), "close the form")
	request, err := http.NewRequestWithContext(r.ctx, http.MethodPost, address.String(), &body)
	work.Must(err, "POST")
	request.Header.Set("Content-Type", form.FormDataContentType())
	send(request, http.StatusNoContent)
	work.Same(r.get(name, minio.GetObjectOptions{}), content, "form")
}

// Sends, and ends the run unless the answer has the status.
func send(request *http.Request, status int) []byte {
	answer, err := http.DefaultClient.Do(request)
	work.Must(err, "%s %s", request.Method, request.URL)
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	work.Must(err, "%s %s", request.Method, request.URL)
	work.Assert(answer.StatusCode == status, "%s %s: %s %s", request.Method, request.URL, answer.Status, content)
	return content
}
