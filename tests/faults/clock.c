/*
 * A wall clock that jumps, for one process: LD_PRELOAD it, with CLOCK_AHEAD naming a file of 8
 * bytes, the seconds by which the clock is ahead. A jump is a write to the file.
 *
 * Waits for a condition until a wall-clock time end by the false clock, as the kernel's do when
 * the machine's clock is set (pthread_cond_timedwait(3)): librdkafka waits so. libfaketime does
 * not know C11's cnd_timedwait. The monotonic clock is left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define SLICE_NS 50000000L
#define SECOND_NS 1000000000L

static const volatile int64_t *ahead_s;
static int (*true_wait)(cnd_t *, mtx_t *, const struct timespec *);

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("CLOCK_AHEAD");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = file < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED)
        abort(); /* without it the test would test nothing */
    close(file);
    true_wait = (int (*)(cnd_t *, mtx_t *, const struct timespec *))dlsym(RTLD_NEXT, "cnd_timedwait");
    ahead_s = mapped;
}

static long true_time(clockid_t clock, struct timespec *now)
{
    return syscall(SYS_clock_gettime, clock, now);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    long failed = true_time(clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) && ahead_s)
        now->tv_sec += *ahead_s;
    return (int)failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now)
{
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now)
        *now = precise.tv_sec;
    return precise.tv_sec;
}

int timespec_get(struct timespec *now, int base)
{
    clock_gettime(CLOCK_REALTIME, now);
    return base;
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until)
{
    struct timespec now, slice;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t left_ns = (int64_t)(until->tv_sec - now.tv_sec) * SECOND_NS + until->tv_nsec - now.tv_nsec;
    int last = left_ns <= SLICE_NS;
    true_time(CLOCK_REALTIME, &slice);
    slice.tv_nsec += left_ns < 0 ? 0 : last ? left_ns : SLICE_NS;
    slice.tv_sec += slice.tv_nsec / SECOND_NS;
    slice.tv_nsec %= SECOND_NS;
    int ended = true_wait(condition, mutex, &slice);
    /* Not over yet: a wakeup for nothing, as the standard allows. To wait on here could miss one. */
    return ended == thrd_timedout && !last ? thrd_success : ended;
}
