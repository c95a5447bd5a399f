import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.logging.log4j.LogManager;
import org.elasticsearch.action.admin.cluster.health.ClusterHealthRequest;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.SecureSettings;
import org.elasticsearch.common.settings.SecureString;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginBundle;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Starts one org.elasticsearch.node.Node with the modules of its home, as the server's own main class does,
 * but without the entitlement agent, which Maven Central does not have.
 *
 * Reads settings from config/elasticsearch.yml, the password of the user "elastic" from the environment, and
 * creates the file -Dengine.ready once the node is healthy.
 */
public class EngineNode {
    public static void main(String[] args) throws Exception {
        Path conf = Path.of(System.getProperty("es.path.conf"));
        LogConfigurator.registerErrorListener();
        LogConfigurator.configureESLogging();
        Environment env = environment(conf);
        LogConfigurator.setNodeName(Node.NODE_NAME_SETTING.get(env.settings()));
        LogConfigurator.configure(env, true);
        PluginsLoader loader = PluginsLoader.createPluginsLoader(
            bundles("loadModulesBundles", env.modulesDir()), bundles("loadPluginsBundles", env.pluginsDir()), Map.of());
        Node node = new Node(env, loader);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node), "engine-shutdown"));
        node.start();
        awaitHealthy(node, TimeValue.timeValueSeconds(Long.getLong("engine.timeout")));
        Files.createFile(Path.of(System.getProperty("engine.ready")));
        Thread.currentThread().join();
    }

    static Environment environment(Path conf) {
        Settings home = Settings.builder().put("path.home", System.getProperty("es.path.home")).build();
        Environment env = InternalSettingsPreparer.prepareEnvironment(home, Map.of(), conf, () -> "node");
        String password = System.getenv("ENGINE_PASSWORD");
        if (password == null) {
            return env;
        }
        // The seed protects settings of a keystore file; there is none here, but the server asks for one.
        var secure = new SecureInMemory(Map.of("bootstrap.password", password, "keystore.seed", "engines-local-seed"));
        return new Environment(Settings.builder().put(env.settings()).setSecureSettings(secure).build(), conf);
    }

    /** By reflection: 9.x asks for one more argument than 8.x. */
    @SuppressWarnings("unchecked")
    static Set<PluginBundle> bundles(String name, Path folder) throws Exception {
        for (var method : PluginsLoader.class.getMethods()) {
            if (method.getName().equals(name)) {
                Object found = method.getParameterCount() == 1 ? method.invoke(null, folder) : method.invoke(null, folder, true);
                return (Set<PluginBundle>) found;
            }
        }
        throw new IllegalStateException("PluginsLoader has no method " + name);
    }

    static void awaitHealthy(Node node, TimeValue wait) {
        var request = new ClusterHealthRequest(wait).waitForYellowStatus().timeout(wait);
        if (node.client().admin().cluster().health(request).actionGet().isTimedOut()) {
            System.err.println("the node did not become healthy within " + wait);
            System.exit(1);
        }
    }

    static void close(Node node) {
        try {
            node.prepareForClose();
            node.close();
            node.awaitClose(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            e.printStackTrace();
        } finally {
            LogManager.shutdown();
        }
    }

    /** Settings that the server takes from its keystore only. */
    record SecureInMemory(Map<String, String> values) implements SecureSettings {
        @Override
        public boolean isLoaded() {
            return true;
        }

        @Override
        public Set<String> getSettingNames() {
            return values.keySet();
        }

        @Override
        public SecureString getString(String name) {
            return values.containsKey(name) ? new SecureString(values.get(name).toCharArray()) : null;
        }

        @Override
        public InputStream getFile(String name) {
            return new ByteArrayInputStream(bytes(name));
        }

        @Override
        public byte[] getSHA256Digest(String name) {
            try {
                return MessageDigest.getInstance("SHA-256").digest(bytes(name));
            } catch (NoSuchAlgorithmException e) {
                throw new AssertionError(e);
            }
        }

        private byte[] bytes(String name) {
            return values.get(name).getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public void close() {}

        @Override
        public void writeTo(StreamOutput out) {
            throw new UnsupportedOperationException("settings of one node, not sent to others");
        }
    }
}
