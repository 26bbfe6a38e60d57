import io.minio.ComposeObjectArgs;
import io.minio.CopyObjectArgs;
import io.minio.GetObjectArgs;
import io.minio.GetPresignedObjectUrlArgs;
import io.minio.Http;
import io.minio.ListObjectsArgs;
import io.minio.MinioClient;
import io.minio.PutObjectArgs;
import io.minio.RemoveObjectArgs;
import io.minio.RemoveObjectsArgs;
import io.minio.Result;
import io.minio.SourceObject;
import io.minio.StatObjectArgs;
import io.minio.StatObjectResponse;
import io.minio.UploadObjectArgs;
import io.minio.errors.ErrorResponseException;
import io.minio.messages.DeleteRequest;
import io.minio.messages.DeleteResult;
import io.minio.messages.Item;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import workload.Workload;

/** minio-java. */
final class Main {
    private static final String BUCKET = Workload.environment("BUCKET_NAME");
    private static final int PART_BYTES = 5 * 1024 * 1024;
    private static final int LARGE_BYTES = 18 * 1024 * 1024 + 7;

    private final MinioClient minio;

    private Main(MinioClient minio) {
        this.minio = minio;
    }

    public static void main(String[] arguments) {
        Workload.main(() -> {
            try (MinioClient minio = connect()) {
                Main suite = new Main(minio);
                List<String> keys = new ArrayList<>(suite.small());
                keys.addAll(suite.described());
                keys.addAll(suite.large());
                suite.presigned(keys.get(0));
                suite.missing();
                suite.remove(keys);
            }
            Workload.report("minio-java", MinioClient.class.getPackage().getImplementationVersion(), List.of(
                    "putObject", "getObject", "statObject", "listObjects in pages", "copyObject", "user metadata",
                    "uploadObject, multipart by 5 MiB", "putObject of unknown length", "composeObject", "range read",
                    "presigned GET", "removeObject", "removeObjects", "typed error for a missing key"));
        });
    }

    private static MinioClient connect() {
        MinioClient minio = MinioClient.builder()
                .endpoint(Workload.environment("AWS_ENDPOINT_URL"))
                .credentials(Workload.environment("AWS_ACCESS_KEY_ID"), Workload.environment("AWS_SECRET_ACCESS_KEY"))
                .region(Workload.environment("AWS_REGION"))
                .build();
        if (!Workload.pathStyle()) {
            minio.enableVirtualStyleEndpoint();
        }
        return minio;
    }

    private List<String> small() throws Exception {
        // The client sends `a//b` as `a/b`.
        Map<String, byte[]> objects = Workload.objects(Workload.names(name -> !name.contains("//")));
        for (Map.Entry<String, byte[]> object : objects.entrySet()) {
            put(object.getKey(), object.getValue());
        }
        for (Map.Entry<String, byte[]> object : objects.entrySet()) {
            Workload.sameBytes(object.getKey(), get(object.getKey()), object.getValue());
        }
        Workload.sameNames("names", list(), objects.keySet());
        return List.copyOf(objects.keySet());
    }

    private List<String> described() throws Exception {
        String source = "described source+%41 ü.txt";
        String copy = "copies/of it";
        byte[] content = Workload.bytes(1, 70_000);
        Map<String, String> metadata = Map.of("origin", "a test; with = signs");
        minio.putObject(PutObjectArgs.builder()
                .bucket(BUCKET)
                .object(source)
                .stream(new ByteArrayInputStream(content), (long) content.length, -1L)
                .contentType("text/x-test")
                .userMetadata(metadata)
                .build());
        minio.copyObject(CopyObjectArgs.builder()
                .bucket(BUCKET)
                .object(copy)
                .source(SourceObject.builder().bucket(BUCKET).object(source).build())
                .build());
        for (String key : List.of(source, copy)) {
            StatObjectResponse stat = stat(key);
            Workload.same("size of " + key, stat.size(), (long) content.length);
            Workload.same("type of " + key, stat.contentType(), "text/x-test");
            Workload.check(
                    stat.userMetadata().toString().contains("a test; with = signs"),
                    "metadata of " + key + ": " + stat.userMetadata());
            Workload.sameBytes(key, get(key), content);
        }
        return List.of(source, copy);
    }

    private List<String> large() throws Exception {
        byte[] content = Workload.bytes(2, LARGE_BYTES);
        Path file = Path.of("large").toAbsolutePath();
        Files.write(file, content);
        String uploaded = "large/in parts é";
        minio.uploadObject(UploadObjectArgs.builder()
                .bucket(BUCKET)
                .object(uploaded)
                .filename(file.toString(), PART_BYTES)
                .build());
        String streamed = "large/of unknown length";
        minio.putObject(PutObjectArgs.builder()
                .bucket(BUCKET)
                .object(streamed)
                .stream(new ByteArrayInputStream(content), -1L, (long) PART_BYTES)
                .build());
        for (String key : List.of(uploaded, streamed)) {
            Workload.sameBytes(key, get(key), content);
        }
        String composed = "large/composed";
        minio.composeObject(ComposeObjectArgs.builder()
                .bucket(BUCKET)
                .object(composed)
                // The client writes into the list.
                .sources(new ArrayList<>(List.of(
                        SourceObject.builder().bucket(BUCKET).object(uploaded).build(),
                        SourceObject.builder().bucket(BUCKET).object(streamed).build())))
                .build());
        byte[] twice = Arrays.copyOf(content, 2 * LARGE_BYTES);
        System.arraycopy(content, 0, twice, LARGE_BYTES, LARGE_BYTES);
        Workload.sameBytes(composed, get(composed), twice);
        int first = PART_BYTES - 1_000;
        try (InputStream stream = minio.getObject(GetObjectArgs.builder()
                .bucket(BUCKET)
                .object(uploaded)
                .offset((long) first)
                .length(2_000L)
                .build())) {
            Workload.sameBytes("range", stream.readAllBytes(), Arrays.copyOfRange(content, first, first + 2_000));
        }
        return List.of(uploaded, streamed, composed);
    }

    private void presigned(String key) throws Exception {
        String url = minio.getPresignedObjectUrl(GetPresignedObjectUrlArgs.builder()
                .method(Http.Method.GET)
                .bucket(BUCKET)
                .object(key)
                .expiry(5, TimeUnit.MINUTES)
                .build());
        HttpResponse<byte[]> response = HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofByteArray());
        Workload.same("status of the presigned URL", response.statusCode(), 200);
        Workload.sameBytes("presigned " + key, response.body(), get(key));
    }

    private void missing() {
        for (Workload.Step step : List.<Workload.Step>of(() -> get("missing/key"), () -> stat("missing/key"))) {
            ErrorResponseException error = Workload.refused("a missing key", ErrorResponseException.class, step);
            Workload.same("code of a missing key", error.errorResponse().code(), "NoSuchKey");
        }
    }

    private void remove(List<String> keys) throws Exception {
        minio.removeObject(RemoveObjectArgs.builder().bucket(BUCKET).object(keys.get(0)).build());
        List<DeleteRequest.Object> objects =
                keys.stream().skip(1).map(DeleteRequest.Object::new).toList();
        for (Result<DeleteResult.Error> error : minio.removeObjects(
                RemoveObjectsArgs.builder().bucket(BUCKET).objects(objects).build())) {
            throw new Workload.Failure("removeObjects: " + error.get());
        }
        Workload.sameNames("names after deletion", list(), List.of());
    }

    private void put(String key, byte[] content) throws Exception {
        minio.putObject(PutObjectArgs.builder()
                .bucket(BUCKET)
                .object(key)
                .stream(new ByteArrayInputStream(content), (long) content.length, -1L)
                .build());
    }

    private byte[] get(String key) throws Exception {
        try (InputStream stream =
                minio.getObject(GetObjectArgs.builder().bucket(BUCKET).object(key).build())) {
            return stream.readAllBytes();
        }
    }

    private StatObjectResponse stat(String key) throws Exception {
        return minio.statObject(StatObjectArgs.builder().bucket(BUCKET).object(key).build());
    }

    private List<String> list() throws Exception {
        List<String> keys = new ArrayList<>();
        for (Result<Item> item : minio.listObjects(
                ListObjectsArgs.builder().bucket(BUCKET).recursive(true).maxKeys(30).build())) {
            keys.add(item.get().objectName());
        }
        return keys;
    }
}
