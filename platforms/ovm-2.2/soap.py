"""A call of one of Oracle VM Manager's SOAP services, in what every Python since 2.4 has.

    python - URL CREDENTIALS SERVICE OPERATION ARGUMENT...

What messages look like is nowhere said: it is read from the service's own WSDL, and a field that is not in there is refused
before anything is sent. Parameters are told by their places. An argument is one of

    2=TEXT  2.field.field=TEXT        the second parameter, or a field of it
    !2.field=NAME                     the same with a password, by the name of its line in CREDENTIALS
    @2=CALL  @2.field=CALL            the same with what another operation answers, where CALL is
    [SERVICE.]OPERATION(TEXT)[TEXT]   the object in its answer that has a field of that value
    [SERVICE.]OPERATION(TEXT)[TEXT].FIELD   a field of that object

CREDENTIALS is a file with a line each: user, password, password of the agents, password of the consoles.
The answer's fields are printed, NAME tab TEXT. A failure is a line `Error: REASON`, and status 1.
"""
import base64
import codecs
import re
import socket
import sys
from xml.dom import minidom
from xml.parsers.expat import ExpatError
from xml.sax import SAXParseException
from xml.sax.saxutils import escape, quoteattr

try:
    from httplib import HTTPException
    from urllib2 import HTTPError, ProxyHandler, Request, URLError, build_opener
except ImportError:
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import ProxyHandler, Request, build_opener

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
WSDL = "http://schemas.xmlsoap.org/wsdl/"
WSDL_SOAP = "http://schemas.xmlsoap.org/wsdl/soap/"
XSD = "http://www.w3.org/2001/XMLSchema"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
SECONDS = 600
CALL = re.compile(r"^(?:(\w+)\.)?(\w+)\((.*?)\)\[(.*)\](?:\.(\w+))?$", re.S)


class Failure(Exception):
    """What is printed as the reason."""


def reason():
    """The exception in hand, in a way that old and new Pythons know."""
    return sys.exc_info()[1]


def say(line):
    """Prints a line, whatever the terminal can show."""
    sys.stdout.write(line.encode("ascii", "replace").decode("ascii") + "\n")


def children(node, namespace=None, name=None):
    """The elements right below a node, of that namespace and name where they are given."""
    found = []
    for child in node.childNodes:
        if child.nodeType == child.ELEMENT_NODE:
            if (namespace is None or child.namespaceURI == namespace) and (name is None or child.localName == name):
                found.append(child)
    return found


def text_of(node):
    return "".join([child.data for child in node.childNodes if child.nodeType in (child.TEXT_NODE, child.CDATA_SECTION_NODE)])


def resolve(node, name):
    """The namespace and the local name that a prefixed name stands for at a node."""
    prefix, local = "", name
    if ":" in name:
        prefix, local = name.split(":", 1)
    attribute = "xmlns"
    if prefix:
        attribute = "xmlns:" + prefix
    while node is not None and node.nodeType == node.ELEMENT_NODE:
        if node.hasAttribute(attribute):
            return node.getAttribute(attribute), local
        node = node.parentNode
    return None, local


class Element(object):
    """An element of a message: its name, its namespace (None: none) and the node of its type (None: simple)."""

    def __init__(self, name, namespace, kind, node):
        self.name, self.namespace, self.kind = name, namespace, kind
        self.nillable = node is not None and node.getAttribute("nillable") == "true"
        self.many = node is not None and node.getAttribute("maxOccurs") not in ("", "0", "1")


class Service(object):
    """What a WSDL says: operations, messages and types, as far as literal messages need it."""

    def __init__(self, name, document):
        self.name = name
        self.root = document.documentElement
        self.elements, self.types = {}, {}
        for types in children(self.root, WSDL, "types"):
            for schema in children(types, XSD, "schema"):
                space = schema.getAttribute("targetNamespace")
                for node in children(schema, XSD, "element"):
                    self.elements[space, node.getAttribute("name")] = node
                for node in children(schema, XSD, "complexType"):
                    self.types[space, node.getAttribute("name")] = node

    def named(self, name, kind):
        return [node for node in children(self.root, WSDL, kind) if node.getAttribute("name") == name]

    def element(self, node):
        """The Element that a node of a schema describes."""
        if node.hasAttribute("ref"):
            key = resolve(node, node.getAttribute("ref"))
            if key not in self.elements:
                raise Failure("%s's WSDL leaves the element %s to another document" % (self.name, key[1]))
            found = self.element(self.elements[key])
            found.many = found.many or node.getAttribute("maxOccurs") not in ("", "0", "1")
            return found
        schema, space = node.parentNode, None
        is_global = schema.namespaceURI == XSD and schema.localName == "schema"
        while schema.localName != "schema":
            schema = schema.parentNode
        form = node.getAttribute("form") or schema.getAttribute("elementFormDefault")
        if is_global or form == "qualified":
            space = schema.getAttribute("targetNamespace")
        kind = None
        if node.hasAttribute("type"):
            kind = self.kind(node, node.getAttribute("type"))
        for inline in children(node, XSD, "complexType"):
            kind = inline
        return Element(node.getAttribute("name"), space, kind, node)

    def kind(self, node, name):
        key = resolve(node, name)
        if key[0] == XSD:
            return None
        if key not in self.types:
            raise Failure("%s's WSDL leaves the type %s to another document, or it is none with fields" % (self.name, key[1]))
        return self.types[key]

    def fields(self, kind):
        """The Elements within a type, those that it inherits first."""
        found = []
        for content in children(kind, XSD, "complexContent"):
            for extension in children(content, XSD, "extension"):
                base = self.kind(extension, extension.getAttribute("base"))
                if base is not None:
                    found.extend(self.fields(base))
                kind = extension
        for group in children(kind, XSD, "sequence") + children(kind, XSD, "all"):
            found.extend([self.element(node) for node in children(group, XSD, "element")])
        return found

    def operation(self, name, places):
        """Action, wrapping element and parameters of the operation that has so many places."""
        for binding in children(self.root, WSDL, "binding"):
            style = "document"
            for about in children(binding, WSDL_SOAP, "binding"):
                style = about.getAttribute("style") or style
            port = resolve(binding, binding.getAttribute("type"))[1]
            for bound in children(binding, WSDL, "operation"):
                if bound.getAttribute("name") != name:
                    continue
                action, space = "", None
                for about in children(bound, WSDL_SOAP, "operation"):
                    action = about.getAttribute("soapAction")
                    style = about.getAttribute("style") or style
                for direction in children(bound, WSDL, "input"):
                    for body in children(direction, WSDL_SOAP, "body"):
                        space = body.getAttribute("namespace") or space
                        if body.getAttribute("use") == "encoded":
                            raise Failure("%s speaks SOAP's encoded form, which this program does not" % self.name)
                wrapper, parameters = self.message(port, name, style, space)
                if len(parameters) >= places:
                    return action, wrapper, parameters
                raise Failure("%s.%s has %d parameters, not %d" % (self.name, name, len(parameters), places))
        raise Failure("%s's WSDL has no operation %s" % (self.name, name))

    def message(self, port, name, style, space):
        parts = []
        for ports in self.named(port, "portType"):
            for operation in children(ports, WSDL, "operation"):
                if operation.getAttribute("name") == name:
                    for direction in children(operation, WSDL, "input"):
                        message = resolve(direction, direction.getAttribute("message"))[1]
                        for node in self.named(message, "message"):
                            parts = children(node, WSDL, "part")
        if style == "rpc":
            found = []
            for part in parts:
                kind = self.kind(part, part.getAttribute("type"))
                found.append(Element(part.getAttribute("name"), None, kind, None))
            return Element(name, space, None, None), found
        for part in parts:
            key = resolve(part, part.getAttribute("element"))
            if key in self.elements:
                wrapper = self.element(self.elements[key])
                if wrapper.kind is None:
                    return wrapper, []
                return wrapper, self.fields(wrapper.kind)
        raise Failure("%s's WSDL does not say what %s takes" % (self.name, name))


def tag(element, inner, attributes=""):
    space = ' xmlns=""'
    if element.namespace:
        space = " xmlns=" + quoteattr(element.namespace)
    return "<%s%s%s>%s</%s>" % (element.name, space, attributes, inner, element.name)


def copied(node):
    """The content of an element of an answer, to be sent back as it came."""
    inner = []
    for child in node.childNodes:
        if child.nodeType in (child.TEXT_NODE, child.CDATA_SECTION_NODE):
            inner.append(escape(child.data))
        elif child.nodeType == child.ELEMENT_NODE:
            attributes = ""
            if child.getAttributeNS(XSI, "nil"):
                attributes = ' xsi:nil="true"'
            if child.getAttributeNS(XSI, "type"):
                space, local = resolve(child, child.getAttributeNS(XSI, "type"))
                attributes += " xmlns:t=%s xsi:type=%s" % (quoteattr(space or ""), quoteattr("t:" + local))
            inner.append(tag(Element(child.localName, child.namespaceURI, None, None), copied(child), attributes))
    return "".join(inner)


def written(service, element, value, where):
    """An element with its value: text, an element of an answer, or a list of pairs of a path and a value."""
    if isinstance(value, list) and value[0][0] == []:
        value = value[0][1]
    if not isinstance(value, list):
        if hasattr(value, "childNodes"):
            return tag(element, copied(value))
        return tag(element, escape(value))
    if element.kind is None:
        raise Failure("%s has no fields" % where)
    fields = service.fields(element.kind)
    # A list is a type with one element that may come often; one of them is made.
    if len(fields) == 1 and fields[0].many and value[0][0][0] != fields[0].name:
        return tag(element, written(service, fields[0], value, where))
    names = [field.name for field in fields]
    for path, _ in value:
        if path[0] not in names:
            raise Failure("%s has no field %s; it has %s" % (where, path[0], ", ".join(names)))
    inner = []
    for field in fields:
        own = [(path[1:], one) for path, one in value if path[0] == field.name]
        if own:
            inner.append(written(service, field, own, "%s.%s" % (where, field.name)))
    return tag(element, "".join(inner))


class Manager(object):
    """Oracle VM Manager, as its services show it."""

    def __init__(self, url, credentials):
        lines = codecs.open(credentials, encoding="utf-8").read().split("\n")
        if len(lines) < 4:
            raise Failure("%s does not have four lines" % credentials)
        self.url = url
        self.secrets = {"AGENT_PASSWORD": lines[2], "CONSOLE_PASSWORD": lines[3]}
        login = base64.b64encode((lines[0] + ":" + lines[1]).encode("utf-8")).decode("ascii")
        self.login = {"Authorization": "Basic " + login}
        self.opener = build_opener(ProxyHandler({}))
        self.services = {}

    def fetch(self, url, body=None, headers=None):
        # An old Python would take the body, which is bytes, for ASCII if any of these were Unicode.
        url = str(url)
        every = dict([(key, str(value)) for key, value in list(self.login.items()) + list((headers or {}).items())])
        try:
            answer = self.opener.open(Request(url, body, every)).read()
        except HTTPError:
            error = reason()
            if error.code in (401, 403):
                raise Failure("the services at %s refuse this user name or password" % self.url)
            # A fault comes with status 500.
            answer = error.read()
            if error.code != 500:
                raise Failure("%s answers with HTTP status %d" % (url, error.code))
        except (HTTPException, URLError, socket.error):
            raise Failure("%s cannot be reached: %s" % (url, reason()))
        try:
            return minidom.parseString(answer)
        except (ExpatError, SAXParseException):
            raise Failure("%s does not answer in XML" % url)

    def service(self, name):
        if name not in self.services:
            self.services[name] = Service(name, self.fetch("%s/%s?WSDL" % (self.url, name)))
        return self.services[name]

    def call(self, name, operation, arguments):
        """Calls; answers with the element below the answer's body. `arguments`: place, path and value of each."""
        service = self.service(name)
        places = max([0] + [place for place, _, _ in arguments])
        action, wrapper, parameters = service.operation(operation, places)
        inner = []
        for number, parameter in enumerate(parameters):
            own = [(path, value) for place, path, value in arguments if place == number + 1]
            where = "%s.%s(%s)" % (name, operation, parameter.name)
            if own:
                inner.append(written(service, parameter, own, where))
            elif parameter.nillable:
                inner.append(tag(parameter, "", ' xsi:nil="true"'))
        body = '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="%s" xmlns:xsi="%s"><s:Body>%s</s:Body></s:Envelope>'
        body = (body % (SOAP, XSI, tag(wrapper, "".join(inner)))).encode("utf-8")
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"%s"' % action}
        answer = self.fetch("%s/%s" % (self.url, name), body, headers)
        for found in children(answer.documentElement, SOAP, "Body"):
            for fault in children(found, SOAP, "Fault"):
                said = [text_of(node) for node in children(fault, None, "faultstring")]
                raise Failure(" ".join(said) or "%s.%s failed and does not say why" % (name, operation))
            return found
        raise Failure("%s.%s does not answer with an envelope" % (name, operation))

    def found(self, name, text):
        """What a CALL finds in the answer of another operation."""
        match = CALL.match(text)
        if match is None:
            raise Failure("%s is no call" % text)
        other, operation, argument, wanted, field = match.groups()
        arguments = []
        if argument:
            arguments.append((1, [], argument))
        name = other or name
        answer = self.call(name, operation, arguments)
        for node in answer.getElementsByTagName("*"):
            if wanted in [text_of(child) for child in children(node) if not children(child)]:
                return self.field(node, field, "%s.%s" % (name, operation))
        raise Failure("%s.%s knows no %s" % (name, operation, wanted))

    def field(self, node, name, where):
        """The node itself, or its field of that name, or else the only one whose name ends in it, in any case."""
        if name is None:
            return node
        simple = [child for child in children(node) if not children(child)]
        exact = [child for child in simple if child.localName == name]
        ending = [child for child in simple if child.localName.lower().endswith(name.lower())]
        if len(exact) != 1 and len(ending) != 1:
            names = ", ".join([child.localName for child in simple])
            raise Failure("%s does not tell which field is the %s: it has %s" % (where, name, names))
        return text_of((exact or ending)[0])


def main(words):
    # Old Pythons get bytes.
    words = [hasattr(word, "decode") and word.decode("utf-8") or word for word in words]
    url, credentials, name, operation = words[:4]
    manager = Manager(url, credentials)
    arguments = []
    for word in words[4:]:
        path, value = word.split("=", 1)
        sign = path[0]
        if sign == "!":
            value = manager.secrets[value]
        elif sign == "@":
            value = manager.found(name, value)
        path = path.lstrip("!@").split(".")
        arguments.append((int(path[0]), path[1:], value))
    for node in manager.call(name, operation, arguments).getElementsByTagName("*"):
        if not children(node):
            say("%s\t%s" % (node.localName, text_of(node).strip()))


if __name__ == "__main__":
    socket.setdefaulttimeout(SECONDS)
    try:
        main(sys.argv[1:])
    except Failure:
        say("Error: " + reason().args[0])
        sys.exit(1)
