/* Thin shims over system calls: each returns a value >= 0, or -errno. Header-only, so that they inline into Swift. */
#ifndef HAVEN_CLINUX_H
#define HAVEN_CLINUX_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/watchdog.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "GNU.h"

#define HAVEN_RESULT(expression) ({ long r_ = (long)(expression); r_ < 0 ? -(long)errno : r_; })

/* epoll_event is packed on x86-64 and holds a union; this mirror has plain fields that Swift imports well. */
struct haven_epoll_event {
    uint32_t events;
    uint64_t data;
}
#if defined(__x86_64__)
__attribute__((packed))
#endif
;
_Static_assert(sizeof(struct haven_epoll_event) == sizeof(struct epoll_event), "epoll_event layout");

static inline long haven_epoll_create(void) { return HAVEN_RESULT(epoll_create1(EPOLL_CLOEXEC)); }

static inline long haven_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct haven_epoll_event event = {events, data};
    return HAVEN_RESULT(epoll_ctl(epoll, operation, fd, (struct epoll_event *)&event));
}

/* Waits up to timeout_ns (negative: for ever), with nanosecond resolution. */
static inline long haven_epoll_wait(int epoll, struct haven_epoll_event *events, int capacity, int64_t timeout_ns) {
    struct timespec limit = {timeout_ns / 1000000000, timeout_ns % 1000000000};
    return HAVEN_RESULT(syscall(SYS_epoll_pwait2, epoll, events, capacity, timeout_ns < 0 ? NULL : &limit, NULL, 0));
}

static inline int64_t haven_clock(int clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline long haven_close(int fd) { return HAVEN_RESULT(close(fd)); }
static inline long haven_read(int fd, void *buffer, size_t size) { return HAVEN_RESULT(read(fd, buffer, size)); }
static inline long haven_write(int fd, const void *buffer, size_t size) { return HAVEN_RESULT(write(fd, buffer, size)); }
static inline long haven_open(const char *path, int flags, mode_t mode) { return HAVEN_RESULT(open(path, flags | O_CLOEXEC, mode)); }

static inline long haven_socket(int domain, int type, int protocol) {
    return HAVEN_RESULT(socket(domain, type | SOCK_CLOEXEC, protocol));
}
static inline long haven_bind(int fd, const void *address, socklen_t length) {
    return HAVEN_RESULT(bind(fd, (const struct sockaddr *)address, length));
}
static inline long haven_connect(int fd, const void *address, socklen_t length) {
    return HAVEN_RESULT(connect(fd, (const struct sockaddr *)address, length));
}
static inline long haven_listen(int fd, int backlog) { return HAVEN_RESULT(listen(fd, backlog)); }
static inline long haven_accept(int fd, void *address, socklen_t *length) {
    return HAVEN_RESULT(accept4(fd, (struct sockaddr *)address, length, SOCK_NONBLOCK | SOCK_CLOEXEC));
}
static inline long haven_getsockname(int fd, void *address, socklen_t *length) {
    return HAVEN_RESULT(getsockname(fd, (struct sockaddr *)address, length));
}
static inline long haven_shutdown(int fd, int how) { return HAVEN_RESULT(shutdown(fd, how)); }
static inline long haven_send(int fd, const void *buffer, size_t size, int flags) {
    return HAVEN_RESULT(send(fd, buffer, size, flags | MSG_NOSIGNAL));
}
static inline long haven_recv(int fd, void *buffer, size_t size, int flags) {
    return HAVEN_RESULT(recv(fd, buffer, size, flags));
}
static inline long haven_sendto(int fd, const void *buffer, size_t size, const void *address, socklen_t length) {
    return HAVEN_RESULT(sendto(fd, buffer, size, MSG_NOSIGNAL, (const struct sockaddr *)address, length));
}
static inline long haven_recvfrom(int fd, void *buffer, size_t size, int flags, void *address, socklen_t *length) {
    return HAVEN_RESULT(recvfrom(fd, buffer, size, flags, (struct sockaddr *)address, length));
}
static inline long haven_setsockopt_int(int fd, int level, int option, int value) {
    return HAVEN_RESULT(setsockopt(fd, level, option, &value, sizeof value));
}
/* ICMP_FILTER and ICMP_ECHOREPLY of <linux/icmp.h>, which cannot be included beside <net/if.h>. */
#define HAVEN_ICMP_FILTER 1
#define HAVEN_ICMP_ECHOREPLY 0
/* Lets a raw ICMP or ICMPv6 socket receive echo replies alone; 1 in either filter means that a type is kept away. */
static inline long haven_only_echo_replies(int fd, int family) {
    if (family == AF_INET) {
        uint32_t filter = ~(1u << HAVEN_ICMP_ECHOREPLY);
        return HAVEN_RESULT(setsockopt(fd, SOL_RAW, HAVEN_ICMP_FILTER, &filter, sizeof filter));
    }
    struct icmp6_filter filter;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
    return HAVEN_RESULT(setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter));
}
static inline long haven_getsockopt_int(int fd, int level, int option) {
    int value = 0;
    socklen_t length = sizeof value;
    long result = HAVEN_RESULT(getsockopt(fd, level, option, &value, &length));
    return result < 0 ? result : value;
}
static inline long haven_peer_credentials(int fd, pid_t *pid, uid_t *uid, gid_t *gid) {
    struct ucred credentials = {0};
    socklen_t length = sizeof credentials;
    long result = HAVEN_RESULT(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length));
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return result;
}

static inline long haven_splice(int from, int to, size_t length, unsigned flags) {
    return HAVEN_RESULT(splice(from, NULL, to, NULL, length, flags));
}
static inline long haven_pipe(int ends[2], int flags) { return HAVEN_RESULT(pipe2(ends, flags | O_CLOEXEC)); }
static inline long haven_fcntl(int fd, int command, int value) { return HAVEN_RESULT(fcntl(fd, command, value)); }
static inline long haven_flock(int fd, int operation) { return HAVEN_RESULT(flock(fd, operation)); }

static inline long haven_eventfd(void) { return HAVEN_RESULT(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }
static inline long haven_signalfd(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    int blocked = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (blocked != 0) return -(long)blocked;
    return HAVEN_RESULT(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}
/* The number of the next pending signal, or -EAGAIN. */
static inline long haven_signalfd_read(int fd) {
    struct signalfd_siginfo information;
    long result = HAVEN_RESULT(read(fd, &information, sizeof information));
    return result < 0 ? result : (long)information.ssi_signo;
}

static inline long haven_pidfd_open(pid_t pid) { return HAVEN_RESULT(syscall(SYS_pidfd_open, pid, 0)); }
static inline long haven_kill(pid_t pid, int signal) { return HAVEN_RESULT(kill(pid, signal)); }
/* Collects a dead child: its pid, 0 when it still runs. *status: exit code, or 256 + signal number. */
static inline long haven_wait(pid_t pid, int *status) {
    int raw = 0;
    long result = HAVEN_RESULT(waitpid(pid, &raw, WNOHANG));
    if (result > 0) *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 256 + WTERMSIG(raw);
    return result;
}

static inline long haven_realtime(int priority) {
    struct sched_param parameters = {.sched_priority = priority};
    return HAVEN_RESULT(sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &parameters));
}
#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif
static inline long haven_lock_memory(void) { return HAVEN_RESULT(mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)); }

static inline long haven_memfd(const char *name) { return HAVEN_RESULT(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)); }
static inline long haven_ftruncate(int fd, off_t size) { return HAVEN_RESULT(ftruncate(fd, size)); }
/* Maps a shared page; NULL on failure. */
static inline void *haven_map_shared(int fd, size_t size, int writable) {
    void *address = mmap(NULL, size, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
    return address == MAP_FAILED ? NULL : address;
}
static inline void haven_unmap(void *address, size_t size) { munmap(address, size); }

/* Sends one byte string with up to one descriptor (fd < 0: none). */
static inline long haven_send_with_fd(int socket, const void *buffer, size_t size, int fd) {
    struct iovec vector = {(void *)buffer, size};
    char control[CMSG_SPACE(sizeof(int))];
    memset(control, 0, sizeof control);
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    return HAVEN_RESULT(sendmsg(socket, &message, MSG_NOSIGNAL));
}
/* Receives bytes and at most one descriptor (*fd < 0: none came). */
static inline long haven_recv_with_fd(int socket, void *buffer, size_t size, int *fd) {
    struct iovec vector = {buffer, size};
    char control[CMSG_SPACE(sizeof(int))];
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    *fd = -1;
    long result = HAVEN_RESULT(recvmsg(socket, &message, MSG_CMSG_CLOEXEC));
    if (result < 0) return result;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) memcpy(fd, CMSG_DATA(header), sizeof *fd);
    return result;
}

static inline long haven_getrandom(void *buffer, size_t size) { return HAVEN_RESULT(syscall(SYS_getrandom, buffer, size, 0)); }
/* Waits until a descriptor can be read: 1, or 0 when the time is over. */
static inline long haven_wait_readable(int fd, int timeout_ms) {
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    return HAVEN_RESULT(poll(&entry, 1, timeout_ms));
}

/* Files and directories. */
static inline long haven_fsync(int fd) { return HAVEN_RESULT(fsync(fd)); }
static inline long haven_unlink(const char *path) { return HAVEN_RESULT(unlink(path)); }
static inline long haven_mkdir(const char *path, mode_t mode) { return HAVEN_RESULT(mkdir(path, mode)); }
static inline long haven_fchmod(int fd, mode_t mode) { return HAVEN_RESULT(fchmod(fd, mode)); }
/* The type and permission bits of a file. */
static inline long haven_mode(int fd) {
    struct stat status;
    long result = HAVEN_RESULT(fstat(fd, &status));
    return result < 0 ? result : (long)status.st_mode;
}

/* Sets the time-out of a watchdog device; the seconds that it took, which may be others. */
static inline long haven_watchdog_timeout(int fd, int seconds) {
    long result = HAVEN_RESULT(ioctl(fd, WDIOC_SETTIMEOUT, &seconds));
    if (result < 0) return result;
    int taken = 0;
    result = HAVEN_RESULT(ioctl(fd, WDIOC_GETTIMEOUT, &taken));
    return result < 0 ? result : taken;
}
/* Reboots at once, without a sync; in a pid namespace of its own it ends that namespace alone. */
static inline long haven_reboot_now(void) { return HAVEN_RESULT(reboot(RB_AUTOBOOT)); }

static inline int haven_errno(void) { return errno; }

#include "Spawn.h"
#include "Thread.h"
#include "ProxyShims.h"

#endif
