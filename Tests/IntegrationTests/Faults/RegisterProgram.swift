/// The process that must never run twice, and its clients.
///
/// Its file lies outside of the hosts, so that all see the same one; the kernel puts the lines of all writers in order.
enum RegisterProgram {
    /// How its instances are found in a list of processes.
    static let pattern = "haven-test-register"
    static let port = 7070

    /// Takes the epoch after the last one in the file, and writes for as long as it lives.
    ///
    /// Several lines a tick would hide an overlap; one write a line and nothing else makes the order the kernel's.
    static let server = #"""
        import os, select, socket, sys, uuid
        path, port = sys.argv[1], int(sys.argv[2])
        log = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        size = os.fstat(log).st_size
        tail = os.pread(log, 4096, max(0, size - 4096)).decode(errors='replace').split('\n')
        epochs = [int(l.split(' ')[0]) for l in tail[1 if size > 4096 else 0:] if l.split(' ')[0].isdigit()]
        epoch = (epochs[-1] if epochs else 0) + 1
        name = '%s-%d-%s' % (socket.gethostname(), os.getpid(), uuid.uuid4().hex[:8])
        def write(text):
            os.write(log, ('%d %s %s\n' % (epoch, name, text)).encode())
        write('start')
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(('0.0.0.0', port))
        listener.listen(16)
        listener.setblocking(False)
        while True:
            ready = select.select([listener], [], [], 0.01)[0]
            write('alive')
            if not ready: continue
            try:
                client, _ = listener.accept()
                client.settimeout(0.2)
                value = client.recv(100).decode().strip()
                if value and ' ' not in value:
                    write('write ' + value)
                    client.sendall(('%d\n' % epoch).encode())
                client.close()
            except OSError:
                pass
        """#

    /// Writes one value after the other, each once, and notes which were acknowledged by which epoch.
    static let client = #"""
        import os, socket, sys, time
        address, port, name, path = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
        log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        number = 0
        while True:
            number += 1
            value = '%s-%d' % (name, number)
            try:
                with socket.create_connection((address, port), timeout=0.3) as s:
                    s.sendall((value + '\n').encode())
                    answer = s.recv(100).decode()
                    if answer.endswith('\n'): os.write(log, ('%s %s\n' % (value, answer.strip())).encode())
            except OSError: pass
            time.sleep(0.02)
        """#
}
