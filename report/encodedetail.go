package report

func (d *Hash) encode() (string, encoded) {
	return TypeHash, encoded{
		"documentURL": d.DocumentURL, "subresourceURL": d.SubresourceURL, "hash": d.Hash, "type": "subresource",
		"destination": d.Destination,
	}
}

func (d *COOP) encode() (string, encoded) {
	return TypeCOOP, encoded{
		"disposition": coopWord(d.Disposition), "effectivePolicy": d.EffectivePolicy, "type": d.Violation,
		"previousResponseURL": d.PreviousURL, "nextResponseURL": d.NextURL, "referrer": d.Referrer, "property": d.Property,
		"openerURL": d.OpenerURL, "openeeURL": d.OpeneeURL, "otherDocumentURL": d.OtherDocumentURL,
		"initialPopupURL": d.InitialPopupURL, "sourceFile": d.SourceFile, "lineNumber": d.Line, "columnNumber": d.Column,
	}
}

func (d *COEP) encode() (string, encoded) {
	return TypeCOEP, encoded{
		"disposition": coopWord(d.Disposition), "type": d.Violation, "blockedURL": d.BlockedURL, "destination": d.Destination,
	}
}

// coopWord spells a disposition as the two opener and embedder policies do.
func coopWord(d Disposition) any {
	if d == ReportOnly {
		return "reporting"
	}
	return d
}

func (d *PermissionsPolicy) encode() (string, encoded) {
	kind := TypePermissionsPolicy
	if d.Potential {
		kind = TypePotentialPermissionsPolicy
	}
	return kind, encoded{
		"disposition": d.Disposition, "featureId": d.Feature, "message": d.Message, "allowAttribute": d.AllowAttribute,
		"srcAttribute": d.SrcAttribute, "sourceFile": d.SourceFile, "lineNumber": d.Line, "columnNumber": d.Column,
	}
}

func (d *DocumentPolicy) encode() (string, encoded) {
	return TypeDocumentPolicy, encoded{
		"disposition": d.Disposition, "policyId": d.Policy, "message": d.Message,
		"sourceFile": d.SourceFile, "lineNumber": d.Line, "columnNumber": d.Column,
	}
}

func (d *Deprecation) encode() (string, encoded) {
	return TypeDeprecation, encoded{
		"id": d.ID, "message": d.Message, "anticipatedRemoval": d.Removal,
		"sourceFile": d.SourceFile, "lineNumber": d.Line, "columnNumber": d.Column,
	}
}

func (d *Intervention) encode() (string, encoded) {
	return TypeIntervention, encoded{
		"id": d.ID, "message": d.Message, "sourceFile": d.SourceFile, "lineNumber": d.Line, "columnNumber": d.Column,
	}
}

func (d *Crash) encode() (string, encoded) {
	return TypeCrash, encoded{"reason": d.Reason, "visibility_state": d.Visibility, "is_top_level": d.TopLevel}
}

func (d *Integrity) encode() (string, encoded) {
	m := encoded{
		"documentURL": d.DocumentURL, "blockedURL": d.BlockedURL, "destination": d.Destination, "reason": d.Reason,
	}
	if d.Disposition != DispositionUnknown {
		m["reportOnly"] = d.Disposition == ReportOnly
	}
	return TypeIntegrity, m
}

func (d *NetworkError) encode() (string, encoded) {
	return TypeNetworkError, encoded{
		"phase": d.Phase, "type": d.Type, "protocol": d.Protocol, "server_ip": d.ServerIP, "method": d.Method,
		"referrer": d.Referrer, "status_code": d.StatusCode, "elapsed_time": d.Elapsed.Milliseconds(),
		"sampling_fraction": d.SamplingFraction,
	}
}
