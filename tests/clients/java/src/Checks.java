import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.s3.model.S3Exception;
import workload.Workload;

/** The same work for every client; the bucket is empty before and after. */
final class Checks {
    private static final int LARGE_BYTES = 18 * 1024 * 1024 + 7;
    private static final int PAGE_SIZE = 30;

    private Checks() {}

    static List<String> all(Store store, String partsBy) throws Exception {
        List<String> keys = new ArrayList<>();
        keys.addAll(small(store));
        keys.add(described(store, keys.get(0)));
        keys.add(large(store));
        missing(store);
        Workload.step("delete");
        store.delete(keys.get(0));
        store.delete(keys.subList(1, keys.size()));
        Workload.sameNames("names after deletion", store.list(PAGE_SIZE), List.of());
        return List.of(
                "PutObject", "GetObject", "HeadObject", "ListObjectsV2 in pages", "CopyObject", "user metadata", partsBy,
                "range read", "DeleteObject", "DeleteObjects", "typed error for a missing key");
    }

    private static List<String> small(Store store) throws Exception {
        Map<String, byte[]> objects = Workload.objects(Workload.names(name -> true));
        List<String> names = List.copyOf(objects.keySet());
        Workload.step("put small objects");
        store.put(objects);
        Workload.step("get small objects");
        store.get(names).forEach((name, content) -> Workload.sameBytes(name, content, objects.get(name)));
        Workload.step("list");
        Workload.sameNames("names", store.list(PAGE_SIZE), names);
        return names;
    }

    /** Metadata is set, and a copy keeps it: the source's name needs encoding. */
    private static String described(Store store, String name) throws Exception {
        String source = name + " source+%41 ü.txt";
        String copy = "copies/of it";
        byte[] content = Workload.bytes(1, 70_000);
        Map<String, String> metadata = Map.of("origin", "a test; with = signs", "empty", "");
        Workload.step("put with metadata and copy");
        store.putDescribed(source, content, "text/x-test; charset=utf-8", metadata);
        store.copy(source, copy);
        for (String key : List.of(source, copy)) {
            Store.Description head = store.head(key);
            Workload.same("length of " + key, head.length(), (long) content.length);
            Workload.same("type of " + key, head.type(), "text/x-test; charset=utf-8");
            Workload.same("metadata of " + key, head.metadata(), metadata);
            Workload.sameBytes(key, store.get(List.of(key)).get(key), content);
        }
        store.delete(copy);
        return source;
    }

    private static String large(Store store) throws Exception {
        String key = "large/in parts é";
        byte[] content = Workload.bytes(2, LARGE_BYTES);
        Workload.step("put in parts");
        store.putParts(key, content);
        Workload.step("get large object");
        Workload.sameBytes(key, store.get(List.of(key)).get(key), content);
        Workload.step("read a range");
        // Across the border of the first two parts.
        int first = Store.partBytes - 1_000;
        int last = Store.partBytes + 1_000;
        Workload.sameBytes("range", store.range(key, first, last), Arrays.copyOfRange(content, first, last + 1));
        return key;
    }

    private static void missing(Store store) {
        Workload.step("ask for a missing key");
        S3Exception read =
                Workload.refused("GetObject", store.missingKey(), () -> store.get(List.of("missing/key")));
        Workload.same("status of GetObject", read.statusCode(), 404);
        S3Exception head = Workload.refused("HeadObject", store.missingKey(), () -> store.head("missing/key"));
        Workload.same("status of HeadObject", head.statusCode(), 404);
        S3Exception copy =
                Workload.refused("CopyObject", store.missingKey(), () -> store.copy("missing/key", "copy"));
        Workload.same("status of CopyObject", copy.statusCode(), 404);
    }
}
