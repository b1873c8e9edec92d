#define _GNU_SOURCE 1
#include "CLinux.h"

/* What the new process does before it becomes the program. It shares this process's memory: system calls only, made
   directly where glibc would change all threads of a process; returns only with an error number. */
static int become(const struct haven_spawn_request *request) {
    const struct haven_identity *identity = request->identity;
    struct sched_param normal = {.sched_priority = 0};
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &standard, NULL);
    if (request->new_session ? setsid() < 0 : setpgid(0, 0) < 0) return errno;
    if (sched_setscheduler(0, SCHED_OTHER, &normal) < 0) return errno;
    for (int i = 0; i < request->count; i++)
        if (dup2(request->descriptors[i], i) < 0) return errno;
    if (syscall(SYS_close_range, (unsigned)request->count, ~0U, 0) < 0) return errno;
    if (syscall(SYS_setgroups, (size_t)identity->group_count, identity->groups) < 0) return errno;
    if (syscall(SYS_setresgid, identity->group, identity->group, identity->group) < 0) return errno;
    if (syscall(SYS_setresuid, identity->user, identity->user, identity->user) < 0) return errno;
    if (request->directory && chdir(request->directory) < 0) return errno;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(request->path, request->arguments, request->environment ? request->environment : environ);
    return errno;
}

long haven_spawn_as(const struct haven_spawn_request *request, pid_t *pid) {
    sigset_t all, before;
    /* Shared with the child, which runs first and alone. */
    volatile int failure = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = vfork();
    if (child == 0) {
        failure = become(request);
        _exit(127);
    }
    int reason = child < 0 ? errno : failure;
    if (child > 0 && reason) waitpid(child, NULL, 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (reason) return -(long)reason;
    *pid = child;
    return 0;
}
