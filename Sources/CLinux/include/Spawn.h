/* Starting programs. Header-only, as CLinux.h, which includes it. */
#ifndef HAVEN_SPAWN_H
#define HAVEN_SPAWN_H

/* Whom a program runs as. */
struct haven_identity {
    uid_t user;
    gid_t group;
    const gid_t *groups;
    int group_count;
};

struct haven_spawn_request {
    const char *path;
    char *const *arguments;
    char *const *environment; /* NULL: this process's own */
    const char *directory;    /* NULL: this process's own */
    const int *descriptors;   /* these become 0, 1, 2, ...; none may be below `count` */
    int count;                /* at least 3; everything from here on is closed */
    int new_session;
    const struct haven_identity *identity; /* NULL: this process's own */
};

/* GNU extensions, declared by hand for the reason that GNU.h gives. */
#ifndef _GNU_SOURCE
extern char **environ;
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
#define POSIX_SPAWN_SETSID 0x80
#endif

/* As haven_spawn, for a request with an identity, which posix_spawn cannot change. */
long haven_spawn_as(const struct haven_spawn_request *request, pid_t *pid);

/* Starts the program in a process group of its own, with no signal blocked or ignored, under SCHED_OTHER. */
static inline long haven_spawn(const struct haven_spawn_request *request, pid_t *pid) {
    if (request->identity) return haven_spawn_as(request, pid);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    struct sched_param normal = {.sched_priority = 0};
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure) return -(long)failure;
    failure = posix_spawnattr_init(&attributes);
    if (failure) {
        posix_spawn_file_actions_destroy(&actions);
        return -(long)failure;
    }
    for (int i = 0; i < request->count && !failure; i++)
        failure = posix_spawn_file_actions_adddup2(&actions, request->descriptors[i], i);
    if (!failure) failure = posix_spawn_file_actions_addclosefrom_np(&actions, request->count);
    if (!failure && request->directory) failure = posix_spawn_file_actions_addchdir_np(&actions, request->directory);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setschedpolicy(&attributes, SCHED_OTHER);
    posix_spawnattr_setschedparam(&attributes, &normal);
    posix_spawnattr_setflags(&attributes, (short)(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                                  POSIX_SPAWN_SETSCHEDULER |
                                                  (request->new_session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP)));
    if (!failure)
        failure = posix_spawn(pid, request->path, &actions, &attributes, request->arguments,
                              request->environment ? request->environment : environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -(long)failure;
}

/* Whether a child has ended, without collecting it: 1 yes, 0 no. */
static inline long haven_has_ended(pid_t pid) {
    siginfo_t information;
    information.si_pid = 0;
    long result = HAVEN_RESULT(waitid(P_PID, (id_t)pid, &information, WEXITED | WNOHANG | WNOWAIT));
    return result < 0 ? result : information.si_pid != 0;
}

/* write() to a pipe whose reader may be gone: -EPIPE, and no SIGPIPE for this process. */
static inline long haven_write_pipe(int fd, const void *buffer, size_t size) {
    sigset_t pipe_signal, before;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    long result = HAVEN_RESULT(write(fd, buffer, size));
    if (result == -EPIPE) {
        struct timespec none = {0, 0};
        while (sigtimedwait(&pipe_signal, NULL, &none) < 0 && errno == EINTR) {}
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

static inline long haven_pidfd_send_signal(int pidfd, int signal) {
    return HAVEN_RESULT(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

/* Returns only on failure. */
static inline long haven_execute(const char *path, char *const *arguments, char *const *environment) {
    return HAVEN_RESULT(execve(path, arguments, environment ? environment : environ));
}

static inline char **haven_environment(void) { return environ; }

#endif
