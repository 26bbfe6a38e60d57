import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;
import workload.Workload;

/** {@link S3Client}, with the HTTP client that it takes by default. */
final class SyncStore implements Store {
    private final S3Client s3 = S3Client.builder()
            .endpointOverride(URI.create(Workload.environment("AWS_ENDPOINT_URL")))
            .forcePathStyle(Workload.pathStyle())
            .build();

    @Override
    public void put(Map<String, byte[]> objects) {
        objects.forEach((key, content) ->
                s3.putObject(request -> request.bucket(bucket).key(key), RequestBody.fromBytes(content)));
    }

    @Override
    public Map<String, byte[]> get(List<String> keys) {
        Map<String, byte[]> objects = new LinkedHashMap<>();
        for (String key : keys) {
            objects.put(key, s3.getObjectAsBytes(request -> request.bucket(bucket).key(key)).asByteArray());
        }
        return objects;
    }

    @Override
    public byte[] range(String key, int first, int last) {
        String range = "bytes=" + first + "-" + last;
        return s3.getObjectAsBytes(request -> request.bucket(bucket).key(key).range(range)).asByteArray();
    }

    @Override
    public void putDescribed(String key, byte[] content, String type, Map<String, String> metadata) {
        s3.putObject(
                request -> request.bucket(bucket).key(key).contentType(type).metadata(metadata),
                RequestBody.fromBytes(content));
    }

    @Override
    public Description head(String key) {
        HeadObjectResponse head = s3.headObject(request -> request.bucket(bucket).key(key));
        return new Description(head.contentLength(), head.contentType(), head.metadata());
    }

    @Override
    public List<String> list(int pageSize) {
        return s3.listObjectsV2Paginator(request -> request.bucket(bucket).maxKeys(pageSize)).contents().stream()
                .map(S3Object::key)
                .toList();
    }

    @Override
    public void copy(String from, String to) {
        s3.copyObject(request ->
                request.sourceBucket(bucket).sourceKey(from).destinationBucket(bucket).destinationKey(to));
    }

    @Override
    public void putParts(String key, byte[] content) {
        String upload = s3.createMultipartUpload(request -> request.bucket(bucket).key(key)).uploadId();
        List<CompletedPart> parts = new ArrayList<>();
        for (int start = 0; start < content.length; start += partBytes) {
            byte[] part = Arrays.copyOfRange(content, start, Math.min(start + partBytes, content.length));
            int number = parts.size() + 1;
            String tag = s3.uploadPart(
                            request -> request.bucket(bucket).key(key).uploadId(upload).partNumber(number),
                            RequestBody.fromBytes(part))
                    .eTag();
            parts.add(CompletedPart.builder().partNumber(number).eTag(tag).build());
        }
        s3.completeMultipartUpload(request -> request.bucket(bucket)
                .key(key)
                .uploadId(upload)
                .multipartUpload(completed -> completed.parts(parts)));
    }

    @Override
    public void delete(String key) {
        s3.deleteObject(request -> request.bucket(bucket).key(key));
    }

    @Override
    public void delete(List<String> keys) {
        List<ObjectIdentifier> objects =
                keys.stream().map(key -> ObjectIdentifier.builder().key(key).build()).toList();
        Workload.same(
                "errors of DeleteObjects",
                s3.deleteObjects(request -> request.bucket(bucket).delete(list -> list.objects(objects))).errors(),
                List.of());
    }

    /** Reads through a presigned URL, without the SDK. */
    byte[] getPresigned(String key) throws Exception {
        try (S3Presigner presigner = S3Presigner.builder()
                .s3Client(s3)
                .endpointOverride(URI.create(Workload.environment("AWS_ENDPOINT_URL")))
                .serviceConfiguration(software.amazon.awssdk.services.s3.S3Configuration.builder()
                        .pathStyleAccessEnabled(Workload.pathStyle())
                        .build())
                .build()) {
            URI url = presigner
                    .presignGetObject(presign -> presign.signatureDuration(Duration.ofMinutes(5))
                            .getObjectRequest(request -> request.bucket(bucket).key(key)))
                    .url()
                    .toURI();
            HttpResponse<byte[]> response = HttpClient.newHttpClient()
                    .send(HttpRequest.newBuilder(url).build(), HttpResponse.BodyHandlers.ofByteArray());
            Workload.same("status of the presigned URL", response.statusCode(), 200);
            return response.body();
        }
    }

    @Override
    public void close() {
        s3.close();
    }
}
