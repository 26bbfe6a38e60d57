import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** What the checks ask of a client: the synchronous and the asynchronous clients of the SDK share no type. */
interface Store extends AutoCloseable {
    String bucket = workload.Workload.environment("BUCKET_NAME");
    int partBytes = 5 * 1024 * 1024;

    void put(Map<String, byte[]> objects) throws Exception;

    Map<String, byte[]> get(List<String> keys) throws Exception;

    /** Both positions are included. */
    byte[] range(String key, int first, int last) throws Exception;

    void putDescribed(String key, byte[] content, String type, Map<String, String> metadata) throws Exception;

    Description head(String key) throws Exception;

    List<String> list(int pageSize) throws Exception;

    void copy(String from, String to) throws Exception;

    /** By the client's own way of sending an object in parts. */
    void putParts(String key, byte[] content) throws Exception;

    void delete(String key) throws Exception;

    void delete(List<String> keys) throws Exception;

    /** The error for a missing key. */
    default Class<? extends S3Exception> missingKey() {
        return NoSuchKeyException.class;
    }

    @Override
    void close();

    record Description(long length, String type, Map<String, String> metadata) {}
}
