import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3AsyncClientBuilder;
import workload.Workload;

/** The AWS SDK for Java v2 in its four shapes. Credentials and region come from the environment, as the SDK reads it. */
final class Main {
    private static final String NAME = "AWS SDK for Java v2";
    private static final String PARTS = "multipart by 5 MiB";
    private static final String AUTOMATIC_PARTS = "multipart by 8 MiB, automatic";

    private Main() {}

    public static void main(String[] arguments) {
        Workload.main(() -> {
            synchronous();
            asynchronous();
            crt();
            transferManager();
        });
    }

    private static void synchronous() throws Exception {
        try (SyncStore store = new SyncStore()) {
            List<String> exercised = new ArrayList<>(Checks.all(store, PARTS));
            String key = "presigned/a b+c&d é.txt";
            byte[] content = Workload.bytes(4, 1_000);
            store.putDescribed(key, content, "text/plain", java.util.Map.of());
            Workload.sameBytes(key, store.getPresigned(key), content);
            store.delete(key);
            exercised.add("presigned GET");
            report("", exercised);
        }
    }

    private static void asynchronous() throws Exception {
        try (Store store = new AsyncStore(netty().build())) {
            report(" (async, Netty)", Checks.all(store, PARTS));
        }
    }

    private static void crt() throws Exception {
        try (Store store = new CrtStore()) {
            report(" (CRT)", Checks.all(store, AUTOMATIC_PARTS));
        }
    }

    /** Over the CRT, which it takes by default, and over Netty, which needs no native code. */
    private static void transferManager() throws Exception {
        Transfers.all(CrtStore.client(), AUTOMATIC_PARTS);
        report(" (transfer manager)", Transfers.all(netty().multipartEnabled(true).build(), AUTOMATIC_PARTS));
    }

    private static S3AsyncClientBuilder netty() {
        return S3AsyncClient.builder()
                .endpointOverride(URI.create(Workload.environment("AWS_ENDPOINT_URL")))
                .forcePathStyle(Workload.pathStyle());
    }

    private static void report(String shape, List<String> exercised) {
        Workload.report(NAME + shape, VersionInfo.SDK_VERSION, exercised);
    }
}
