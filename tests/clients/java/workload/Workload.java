package workload;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** What every JVM client does its work on, and how it reports. */
public final class Workload {
    private static String step;

    private Workload() {}

    /** Why a check failed. */
    public static final class Failure extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public Failure(String message) {
            super(message);
        }
    }

    /** A part of a client's work. */
    @FunctionalInterface
    public interface Step {
        void run() throws Exception;
    }

    /** The names of {@code CLIENT_NAMES} that the client can express. */
    public static List<String> names(Predicate<String> expressible) throws IOException {
        List<String> names =
                Files.readAllLines(Path.of(environment("CLIENT_NAMES")), StandardCharsets.UTF_8).stream()
                        .filter(expressible)
                        .collect(Collectors.toList());
        check(names.size() >= 100, "only " + names.size() + " names can be expressed");
        return names;
    }

    /** An object for each name, with content of its own: 0 to 4,999 bytes. */
    public static Map<String, byte[]> objects(List<String> names) {
        Map<String, byte[]> objects = new LinkedHashMap<>();
        for (String name : names) {
            objects.put(name, bytes(name.hashCode(), Math.floorMod(name.hashCode(), 5_000)));
        }
        return objects;
    }

    /**
     * The objects whose names can be files of a folder: no slash at an end, no empty segment, no dots as a segment, no
     * segment of more than 255 bytes, room for a prefix, and not a folder of another name.
     */
    public static Map<String, byte[]> files(Predicate<String> expressible) throws IOException {
        Map<String, byte[]> files = objects(names(name -> isPath(name) && expressible.test(name)));
        for (String name : List.copyOf(files.keySet())) {
            for (int at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) {
                files.remove(name.substring(0, at));
            }
        }
        return files;
    }

    private static boolean isPath(String name) {
        return name.getBytes(StandardCharsets.UTF_8).length <= 1_000
                && Arrays.stream(name.split("/", -1))
                        .noneMatch(segment -> segment.isEmpty()
                                || segment.equals(".")
                                || segment.equals("..")
                                || segment.getBytes(StandardCharsets.UTF_8).length > 255);
    }

    /** Content that does not repeat. */
    public static byte[] bytes(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    public static String environment(String name) {
        return Objects.requireNonNull(System.getenv(name), name + " is not set");
    }

    public static boolean pathStyle() {
        return environment("CLIENT_ADDRESSING").equals("path");
    }

    public static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new Failure(otherwise);
        }
    }

    public static void same(String what, Object got, Object wanted) {
        check(Objects.equals(got, wanted), what + ": got " + got + ", wanted " + wanted);
    }

    public static void sameBytes(String what, byte[] got, byte[] wanted) {
        check(got.length == wanted.length, what + ": got " + got.length + " bytes, wanted " + wanted.length);
        check(Arrays.equals(got, wanted), what + ": the content differs at byte " + Arrays.mismatch(got, wanted));
    }

    /** Compares regardless of the order: S3 sorts by bytes of UTF-8, Java by UTF-16. */
    public static void sameNames(String what, Collection<String> got, Collection<String> wanted) {
        check(got.size() == new TreeSet<>(got).size(), what + ": a name is listed twice");
        TreeSet<String> missing = new TreeSet<>(wanted);
        missing.removeAll(got);
        TreeSet<String> unexpected = new TreeSet<>(got);
        unexpected.removeAll(wanted);
        check(missing.isEmpty() && unexpected.isEmpty(), what + ": missing " + missing + ", unexpected " + unexpected);
    }

    /** The step must fail by this error, as it is or as a cause. */
    public static <T extends Throwable> T refused(String what, Class<T> error, Step step) {
        try {
            step.run();
        } catch (Exception failure) {
            for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
                if (error.isInstance(cause)) {
                    return error.cast(cause);
                }
            }
            throw new Failure(what + ": failed otherwise than by " + error.getSimpleName() + ": " + failure);
        }
        throw new Failure(what + ": succeeded");
    }

    /** Tells the runner that a variant's checks passed. */
    public static void report(String client, String version, List<String> exercised) {
        String list = exercised.stream().map(Workload::quoted).collect(Collectors.joining(", "));
        System.out.printf(
                "RESULT {\"client\": %s, \"version\": %s, \"exercised\": [%s]}%n", quoted(client), quoted(version), list);
    }

    /** Ends the program by the outcome of the work; threads that a client left running do not hold it up. */
    public static void main(Step work) {
        try {
            work.run();
        } catch (Throwable failure) {
            if (step != null) {
                System.err.println("FAILED in the step: " + step);
            }
            failure.printStackTrace();
            System.exit(1);
        }
        System.exit(0);
    }

    /** Names what is done next, since the trace of an asynchronous failure does not show it. */
    public static void step(String name) {
        step = name;
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
