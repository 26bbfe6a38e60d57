import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import workload.Workload;

/** {@link S3AsyncClient}, on Netty or on the CRT; small objects go all at once. */
class AsyncStore implements Store {
    final S3AsyncClient s3;

    AsyncStore(S3AsyncClient s3) {
        this.s3 = s3;
    }

    @Override
    public void put(Map<String, byte[]> objects) {
        List<CompletableFuture<?>> running = new ArrayList<>();
        objects.forEach((key, content) -> running.add(
                s3.putObject(request -> request.bucket(bucket).key(key), AsyncRequestBody.fromBytes(content))));
        running.forEach(CompletableFuture::join);
    }

    @Override
    public Map<String, byte[]> get(List<String> keys) {
        Map<String, CompletableFuture<ResponseBytes<GetObjectResponse>>> running = new LinkedHashMap<>();
        for (String key : keys) {
            running.put(
                    key,
                    s3.getObject(request -> request.bucket(bucket).key(key), AsyncResponseTransformer.toBytes()));
        }
        Map<String, byte[]> objects = new LinkedHashMap<>();
        running.forEach((key, response) -> objects.put(key, response.join().asByteArray()));
        return objects;
    }

    @Override
    public byte[] range(String key, int first, int last) {
        String range = "bytes=" + first + "-" + last;
        return s3.getObject(
                        request -> request.bucket(bucket).key(key).range(range), AsyncResponseTransformer.toBytes())
                .join()
                .asByteArray();
    }

    @Override
    public void putDescribed(String key, byte[] content, String type, Map<String, String> metadata) {
        s3.putObject(
                        request -> request.bucket(bucket).key(key).contentType(type).metadata(metadata),
                        AsyncRequestBody.fromBytes(content))
                .join();
    }

    @Override
    public Description head(String key) {
        HeadObjectResponse head = s3.headObject(request -> request.bucket(bucket).key(key)).join();
        return new Description(head.contentLength(), head.contentType(), head.metadata());
    }

    @Override
    public List<String> list(int pageSize) {
        List<String> keys = new ArrayList<>();
        s3.listObjectsV2Paginator(request -> request.bucket(bucket).maxKeys(pageSize))
                .contents()
                .subscribe(object -> keys.add(object.key()))
                .join();
        return keys;
    }

    @Override
    public void copy(String from, String to) {
        s3.copyObject(request -> request.sourceBucket(bucket)
                        .sourceKey(from)
                        .destinationBucket(bucket)
                        .destinationKey(to))
                .join();
    }

    @Override
    public void putParts(String key, byte[] content) {
        String upload =
                s3.createMultipartUpload(request -> request.bucket(bucket).key(key)).join().uploadId();
        List<CompletableFuture<CompletedPart>> parts = new ArrayList<>();
        for (int start = 0; start < content.length; start += partBytes) {
            byte[] part = Arrays.copyOfRange(content, start, Math.min(start + partBytes, content.length));
            int number = parts.size() + 1;
            parts.add(s3.uploadPart(
                            request -> request.bucket(bucket).key(key).uploadId(upload).partNumber(number),
                            AsyncRequestBody.fromBytes(part))
                    .thenApply(sent -> CompletedPart.builder().partNumber(number).eTag(sent.eTag()).build()));
        }
        List<CompletedPart> sent = parts.stream().map(CompletableFuture::join).toList();
        s3.completeMultipartUpload(request -> request.bucket(bucket)
                        .key(key)
                        .uploadId(upload)
                        .multipartUpload(completed -> completed.parts(sent)))
                .join();
    }

    @Override
    public void delete(String key) {
        s3.deleteObject(request -> request.bucket(bucket).key(key)).join();
    }

    @Override
    public void delete(List<String> keys) {
        List<ObjectIdentifier> objects =
                keys.stream().map(key -> ObjectIdentifier.builder().key(key).build()).toList();
        Workload.same(
                "errors of DeleteObjects",
                s3.deleteObjects(request -> request.bucket(bucket).delete(list -> list.objects(objects)))
                        .join()
                        .errors(),
                List.of());
    }

    @Override
    public void close() {
        s3.close();
    }
}
