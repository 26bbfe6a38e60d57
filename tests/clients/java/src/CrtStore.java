import java.net.URI;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.S3Exception;
import workload.Workload;

/** The client on the AWS Common Runtime: native HTTP and TLS, and large objects in parts by itself. */
final class CrtStore extends AsyncStore {
    CrtStore() {
        super(client());
    }

    static S3AsyncClient client() {
        return S3AsyncClient.crtBuilder()
                .endpointOverride(URI.create(Workload.environment("AWS_ENDPOINT_URL")))
                .forcePathStyle(Workload.pathStyle())
                .build();
    }

    /** It asks by HEAD first, whose answer has no body that could name the code: the status is all that it knows. */
    @Override
    public Class<? extends S3Exception> missingKey() {
        return S3Exception.class;
    }

    @Override
    public void putParts(String key, byte[] content) {
        s3.putObject(request -> request.bucket(bucket).key(key), AsyncRequestBody.fromBytes(content)).join();
    }
}
