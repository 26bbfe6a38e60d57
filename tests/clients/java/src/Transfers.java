import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.transfer.s3.S3TransferManager;
import workload.Workload;

/** The transfer manager: folders up and down, a large file in parts, a copy. */
final class Transfers {
    private static final int LARGE_BYTES = 18 * 1024 * 1024 + 7;

    private Transfers() {}

    static List<String> all(S3AsyncClient s3, String partsBy) throws Exception {
        Path folder = Files.createTempDirectory(Path.of("").toAbsolutePath(), "transfers");
        List<String> keys = new ArrayList<>();
        try (S3TransferManager manager = S3TransferManager.builder().s3Client(s3).build()) {
            keys.addAll(folders(manager, folder));
            keys.addAll(file(manager, folder));
            missing(manager, folder);
        }
        try (Store store = new AsyncStore(s3)) {
            Workload.sameNames("names", store.list(30), keys);
            store.delete(keys);
        }
        return List.of(
                "uploadDirectory", "downloadDirectory", "uploadFile", "downloadFile", "copy", partsBy,
                "typed error for a missing key");
    }

    private static List<String> folders(S3TransferManager manager, Path folder) throws Exception {
        Path up = folder.resolve("up");
        Path down = folder.resolve("down");
        Map<String, byte[]> files = Workload.files(name -> true);
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            Path path = up.resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.write(path, file.getValue());
        }
        Workload.step("upload a folder");
        Workload.same(
                "failed uploads",
                manager.uploadDirectory(request -> request.source(up).bucket(Store.bucket).s3Prefix("tree"))
                        .completionFuture()
                        .join()
                        .failedTransfers(),
                List.of());
        Workload.step("download a folder");
        Workload.same(
                "failed downloads",
                manager.downloadDirectory(request -> request.destination(down)
                                .bucket(Store.bucket)
                                .listObjectsV2RequestTransformer(list -> list.prefix("tree/")))
                        .completionFuture()
                        .join()
                        .failedTransfers(),
                List.of());
        Map<String, byte[]> back = tree(down);
        Workload.sameNames("files downloaded", back.keySet(), files.keySet());
        back.forEach((name, content) -> Workload.sameBytes(name, content, files.get(name)));
        return files.keySet().stream().map(name -> "tree/" + name).toList();
    }

    private static Map<String, byte[]> tree(Path root) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> walk = Files.walk(root)) {
            walk.filter(Files::isRegularFile).forEach(path -> {
                try {
                    files.put(root.relativize(path).toString(), Files.readAllBytes(path));
                } catch (IOException error) {
                    throw new UncheckedIOException(error);
                }
            });
        }
        return files;
    }

    private static List<String> file(S3TransferManager manager, Path folder) throws Exception {
        String key = "large/by transfer é+";
        String copy = "large/copy of it";
        byte[] content = Workload.bytes(3, LARGE_BYTES);
        Path up = folder.resolve("large");
        Path down = folder.resolve("large-back");
        Files.write(up, content);
        Workload.step("upload a large file");
        manager.uploadFile(upload -> upload.source(up).putObjectRequest(put -> put.bucket(Store.bucket).key(key)))
                .completionFuture()
                .join();
        Workload.step("copy a large object");
        manager.copy(request -> request.copyObjectRequest(object -> object.sourceBucket(Store.bucket)
                        .sourceKey(key)
                        .destinationBucket(Store.bucket)
                        .destinationKey(copy)))
                .completionFuture()
                .join();
        for (String each : Arrays.asList(key, copy)) {
            Workload.step("download " + each);
            manager.downloadFile(download ->
                            download.destination(down).getObjectRequest(get -> get.bucket(Store.bucket).key(each)))
                    .completionFuture()
                    .join();
            Workload.sameBytes(each, Files.readAllBytes(down), content);
        }
        return List.of(key, copy);
    }

    private static void missing(S3TransferManager manager, Path folder) {
        Workload.step("ask for a missing key");
        S3Exception error = Workload.refused("downloadFile", S3Exception.class, () -> manager.downloadFile(download -> download
                        .destination(folder.resolve("missing"))
                        .getObjectRequest(get -> get.bucket(Store.bucket).key("missing/key")))
                .completionFuture()
                .join());
        Workload.same("status of downloadFile", error.statusCode(), 404);
    }
}
