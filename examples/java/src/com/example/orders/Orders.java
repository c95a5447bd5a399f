package com.example.orders;

import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** A service that logs with SLF4J; where to is said in logback.xml. */
public final class Orders {
    private static final Logger log = LoggerFactory.getLogger(Orders.class);

    private Orders() {}

    public static void main(String[] arguments) {
        MDC.put("order", "42");
        log.info("order {} shipped", 42);
        log.warn("库存不足: {}", "茶杯");
        MDC.put("order", "43");
        log.error("order {} failed", 43, new IOException("connection refused"));
        MDC.clear();
    }
}
