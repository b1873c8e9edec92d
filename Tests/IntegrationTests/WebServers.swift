import Lab

/// A real nginx on every host's own address: what the load balancer is in front of.
enum WebServers {
    static func start(on cluster: TestCluster) throws {
        for host in cluster.lab.hosts {
            try TestCluster.shell(host, script(host.name, host.address(on: .service)))
        }
    }

    /// Port 80 is the dashboard, 5000 answers as the identity service does.
    private static func script(_ name: String, _ address: String) -> String {
        """
        cat >/etc/haven-lab/nginx.conf <<'end'
        worker_processes 1; pid /run/nginx-lab/pid; error_log /var/log/nginx-lab.log;
        events { worker_connections 256; }
        http {
          access_log off; default_type text/plain;
          client_body_temp_path /run/nginx-lab/b; proxy_temp_path /run/nginx-lab/p;
          fastcgi_temp_path /run/nginx-lab/f; uwsgi_temp_path /run/nginx-lab/u; scgi_temp_path /run/nginx-lab/s;
          server { listen \(address):80; location / { return 200 "dashboard of \(name)"; } }
          server { listen \(address):5000; location / { return 200 '{"versions": "\(name)"}'; } }
        }
        end
        cat >/etc/haven/boot.d/20-nginx <<'end'
        #!/bin/sh
        mkdir -p /run/nginx-lab
        exec nginx -c /etc/haven-lab/nginx.conf
        end
        chmod 755 /etc/haven/boot.d/20-nginx
        /etc/haven/boot.d/20-nginx
        """
    }
}
