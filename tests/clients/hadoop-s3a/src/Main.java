import java.io.FileNotFoundException;
import java.io.InputStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.util.VersionInfo;
import workload.Workload;

/** Hadoop's file system s3a: files with odd names, a large file in parts, renaming and removing of folders. */
final class Main {
    private static final int LARGE_BYTES = 18 * 1024 * 1024 + 7;

    private final FileSystem files;
    private final Path root;

    private Main(FileSystem files) {
        this.files = files;
        this.root = files.makeQualified(new Path("/tree"));
    }

    public static void main(String[] arguments) {
        Workload.main(() -> {
            URI bucket = URI.create("s3a://" + Workload.environment("BUCKET_NAME") + "/");
            try (FileSystem files = FileSystem.get(bucket, configuration())) {
                Main suite = new Main(files);
                suite.small();
                suite.large();
                suite.rename();
                suite.missing();
                suite.remove();
            }
            Workload.report("Hadoop S3A", VersionInfo.getVersion(), List.of(
                    "create", "open", "listFiles in pages", "listStatus", "multipart by 5 MiB", "seek and positioned read",
                    "rename of a folder", "recursive delete", "FileNotFoundException for a missing file"));
        });
    }

    private static Configuration configuration() {
        Configuration configuration = new Configuration();
        configuration.set("fs.s3a.endpoint", Workload.environment("AWS_ENDPOINT_URL"));
        configuration.set("fs.s3a.endpoint.region", Workload.environment("AWS_REGION"));
        configuration.set("fs.s3a.access.key", Workload.environment("AWS_ACCESS_KEY_ID"));
        configuration.set("fs.s3a.secret.key", Workload.environment("AWS_SECRET_ACCESS_KEY"));
        configuration.setBoolean("fs.s3a.path.style.access", Workload.pathStyle());
        // Uploads are buffered there.
        configuration.set("hadoop.tmp.dir", java.nio.file.Path.of("hadoop").toAbsolutePath().toString());
        // Small enough for more than one part and page.
        configuration.set("fs.s3a.multipart.size", "5M");
        configuration.set("fs.s3a.multipart.threshold", "5M");
        configuration.setInt("fs.s3a.paging.maximum", 30);
        return configuration;
    }

    private void small() throws Exception {
        // A colon ends a scheme in a Hadoop path.
        Map<String, byte[]> objects = Workload.files(name -> !name.contains(":"));
        for (Map.Entry<String, byte[]> object : objects.entrySet()) {
            write(new Path(root + "/" + object.getKey()), object.getValue());
        }
        Workload.sameNames("names", list(root), objects.keySet());
        for (Map.Entry<String, byte[]> object : objects.entrySet()) {
            Workload.sameBytes(object.getKey(), read(new Path(root + "/" + object.getKey())), object.getValue());
        }
        long folders = Arrays.stream(files.listStatus(root)).filter(FileStatus::isDirectory).count();
        long wanted = objects.keySet().stream()
                .filter(name -> name.contains("/"))
                .map(name -> name.substring(0, name.indexOf('/')))
                .distinct()
                .count();
        Workload.same("folders", folders, wanted);
    }

    private void large() throws Exception {
        Path path = new Path(root, "large/in parts é");
        byte[] content = Workload.bytes(2, LARGE_BYTES);
        write(path, content);
        Workload.same("length", files.getFileStatus(path).getLen(), (long) LARGE_BYTES);
        Workload.sameBytes("large", read(path), content);
        try (FSDataInputStream stream = files.open(path)) {
            byte[] part = new byte[2_000];
            int first = 5 * 1024 * 1024 - 1_000;
            stream.readFully(first, part);
            Workload.sameBytes("positioned read", part, Arrays.copyOfRange(content, first, first + part.length));
            stream.seek(LARGE_BYTES - 100);
            Workload.sameBytes(
                    "read after seek",
                    stream.readAllBytes(),
                    Arrays.copyOfRange(content, LARGE_BYTES - 100, LARGE_BYTES));
        }
    }

    private void rename() throws Exception {
        List<String> before = list(root);
        Path renamed = new Path("/renamed folder+é");
        Workload.check(files.rename(root, renamed), "the folder was not renamed");
        Workload.sameNames("names after renaming", list(files.makeQualified(renamed)), before);
        Workload.check(!files.exists(root), "the old folder is still there");
        Workload.sameBytes(
                "renamed large file", read(new Path(renamed, "large/in parts é")), Workload.bytes(2, LARGE_BYTES));
    }

    private void missing() {
        Path path = new Path("/missing/file");
        Workload.refused("open", FileNotFoundException.class, () -> read(path));
        Workload.refused("getFileStatus", FileNotFoundException.class, () -> files.getFileStatus(path));
        Workload.refused("listStatus", FileNotFoundException.class, () -> files.listStatus(path));
    }

    private void remove() throws Exception {
        Path empty = new Path("/empty folder");
        Workload.check(files.mkdirs(empty), "the folder was not made");
        Workload.check(files.getFileStatus(empty).isDirectory(), "it is not a folder");
        for (FileStatus each : files.listStatus(new Path("/"))) {
            Workload.check(files.delete(each.getPath(), true), each + " was not removed");
        }
        Workload.same("what is left", files.listStatus(new Path("/")).length, 0);
    }

    private void write(Path path, byte[] content) throws Exception {
        try (FSDataOutputStream stream = files.create(path, true)) {
            stream.write(content);
        }
    }

    private byte[] read(Path path) throws Exception {
        try (InputStream stream = files.open(path)) {
            return stream.readAllBytes();
        }
    }

    /** Names of files below the folder. */
    private List<String> list(Path folder) throws Exception {
        List<String> names = new ArrayList<>();
        RemoteIterator<LocatedFileStatus> found = files.listFiles(folder, true);
        while (found.hasNext()) {
            names.add(found.next().getPath().toString().substring(folder.toString().length() + 1));
        }
        return names;
    }
}
