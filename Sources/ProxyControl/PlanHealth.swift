internal import ClusterModel

extension Listener {
    /// What is wrong with its checks, in the operator's words; nil for nothing.
    ///
    /// The agent has validated them already; here it is made sure that no plan, whoever sent it, makes a check that is
    /// no HTTP, or that costs more than its bounds.
    var healthFault: String? {
        if let check = httpCheck {
            let headers = check.headers ?? []
            let lines = headers.flatMap { [$0.name, $0.value] }
            let isPlain = lines.allSatisfy { $0.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x09 } }
            if headers.count > ConfigurationLimits.checkHeaders || !isPlain { return "header of the HTTP check" }
            if (check.body?.utf8.count ?? 0) > ConfigurationLimits.textLength { return "body of the HTTP check" }
            if (check.expect?.count ?? 0) > ConfigurationLimits.checkRules { return "too many expectations" }
            for rule in check.expect ?? [] {
                switch rule.subject {
                case .statusPattern(let text), .pattern(let text): if let fault = fault(of: text) { return fault }
                case .status, .string: break
                }
            }
        }
        if case .script(let rules)? = serviceCheck {
            if rules.count > ConfigurationLimits.checkRules { return "too many rules in tcp-check" }
            for rule in rules {
                if case .expect(let expectation) = rule, case .pattern(let text) = expectation.subject,
                    let fault = fault(of: text)
                {
                    return fault
                }
            }
        }
        return nil
    }

    private func fault(of pattern: String) -> String? {
        do throws(BytePatternError) {
            _ = try BytePattern(pattern)
            return nil
        } catch { return "the regular expression \"\(pattern)\" \(error)" }
    }
}
