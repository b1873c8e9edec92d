import ClusterModel

extension Lowering {
    mutating func resource(_ item: SyntaxNode, _ index: Int) -> Resource? {
        var reader = MappingReader(item, "a resource", &diagnostics)
        let name = requiredText("name", &reader, "the resource", example: "name: VirtualIP")?.text ?? ""
        let what = "resource \"\(name)\""
        let agent = requiredText("agent", &reader, what, example: "agent: IPaddr2")
        let parameters = entries("parameters", &reader)
        let operations = entries("operations", &reader)
        let meta = entries("meta", &reader)
        reader.finish(what, &diagnostics)
        guard let agent else { return nil }
        for entry in parameters { places.note(entry.value.position, .resources, index, field: entry.key) }

        var gathering = Gathering()
        let read = ResourceWords.read(name: name, agent: agent.text, parameters: settings(parameters), &gathering)
        var known = positions(parameters)
        known["agent"] = agent.position
        add(gathering.problems, at: known, else: reader.position)
        guard var resource = read else { return nil }
        for entry in operations { lower(operation: entry, &resource, index) }
        for (entry, setting) in zip(meta, settings(meta)) {
            attempt(at: entry.value.position) { () throws(WordProblem) in
                try ResourceWords.set(meta: setting, of: &resource)
            }
        }
        return resource
    }

    /// The entries of a mapping under a key; none where there is no such key.
    private mutating func entries(_ key: String, _ reader: inout MappingReader) -> [SyntaxEntry] {
        guard let entry = reader.take(key) else { return [] }
        var fields = MappingReader(entry.value, "\"\(key)\"", &diagnostics)
        return fields.takeRest()
    }

    private mutating func lower(operation entry: SyntaxEntry, _ resource: inout Resource, _ index: Int) {
        var reader = MappingReader(entry.value, "operation \"\(entry.key)\"", &diagnostics)
        let fields = reader.takeRest()
        if fields.isEmpty {
            attempt(at: entry.keyPosition) { () throws(WordProblem) in
                try ResourceWords.set(operation: entry.key, [], of: &resource, .refused)
            }
        }
        for (field, setting) in zip(fields, settings(fields)) {
            places.note(field.value.position, .resources, index, field: "\(entry.key)-\(field.key)")
            attempt(at: field.value.position) { () throws(WordProblem) in
                try ResourceWords.set(operation: entry.key, [setting], of: &resource, .refused)
            }
        }
    }

    mutating func listener(_ item: SyntaxNode, _ index: Int) -> Listener? {
        var reader = MappingReader(item, "a listener", &diagnostics)
        let name = requiredText("name", &reader, "the listener", example: "name: horizon")?.text ?? ""
        let servers = reader.take("servers")
        let options = reader.takeRest()
        for entry in options { places.note(entry.value.position, .listeners, index, field: entry.key) }
        var gathering = Gathering()
        var listener = ListenerWords.read(name: name, settings: settings(options), bare: .refused, &gathering)
        add(gathering.problems, at: positions(options), else: reader.position)
        for (position, server) in (servers?.value.items("\"servers\"", &diagnostics) ?? []).enumerated() {
            places.note(server.position, .listeners, index, server: position)
            if let server = self.server(server) { listener.servers.append(server) }
        }
        return listener
    }

    /// `NAME ADDRESS:PORT word …` as a text, or a mapping of `server` to it and `state` to what it has no word for.
    private mutating func server(_ item: SyntaxNode) -> Server? {
        var line = item
        var state: (text: String, at: SourcePosition)?
        if case .mapping = item.content {
            var reader = MappingReader(item, "a server", &diagnostics)
            let example = "server: NAME ADDRESS:PORT check"
            let entry = reader.take("server")
            state = optionalText("state", &reader)
            reader.finish("the server", &diagnostics)
            guard let entry else {
                diagnostics.append(Diagnostic(item.position, "the server has no \"server\"", remedy: "add \(example)"))
                return nil
            }
            line = entry.value
        }
        guard let text = line.text("a server", &diagnostics) else { return nil }
        let words = text.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
        guard let name = words.first else {
            diagnostics.append(Diagnostic(line.position, "the server has no name", remedy: "give NAME ADDRESS:PORT"))
            return nil
        }
        var server: Server
        do throws(WordProblems) {
            server = try ServerWords.parse(name: name, words: Array(words.dropFirst()))
        } catch {
            for problem in error.problems {
                let text = "server \"\(name)\": \(problem.text)"
                diagnostics.append(Diagnostic(line.position, text, remedy: problem.remedy))
            }
            return nil
        }
        if let state {
            guard let known = ServerAdminState(rawValue: state.text) else {
                let remedy = "give ready, drain or maint"
                diagnostics.append(Diagnostic(state.at, "state cannot be \"\(state.text)\"", remedy: remedy))
                return nil
            }
            server.state = known
        }
        return server
    }
}
